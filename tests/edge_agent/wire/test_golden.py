"""Payloads as bytes. These never change: an edge or a centre in the field may send or expect exactly them."""

import math

import pytest

from edge_agent.wire.birth import Birth, ChannelBirth, decode_birth
from edge_agent.wire.command import (
    Acknowledgement,
    Command,
    HostState,
    decode_command,
    decode_death,
    decode_state,
    encode_acknowledgement,
    encode_death,
    encode_device_death,
    encode_rebirth,
    encode_state,
    parse_payload,
)
from edge_agent.wire.data import decode_data
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason, Sample

AT_MS = 1_700_000_000_000
ACKED = Acknowledgement(0x1122334455667788, ((1, 3), (7, 7)))
CO = ChannelBirth(
    name="co", alias=5, datatype=DataType.FLOAT, unit="mg/m3", quantity="co", name_zh="一氧化碳", name_en="CO",
    basis="dry_standard", low=0.0, high=1000.0, period_s=10.0,
)  # fmt: skip
PHASE = ChannelBirth(name="phase", alias=6, datatype=DataType.INT16, states={0: "idle", 1: "preheat"})

COMMANDS = {
    "a rebirth request": (
        encode_rebirth(AT_MS),
        "0880d095ffbc3112210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7001",
    ),
    "an acknowledgement": (
        encode_acknowledgement(ACKED, AT_MS),
        "0880d095ffbc31121f0a0c4f7574626f782f45706f63681880d095ffbc315888ef99abc5e88c91111238"
        "0a0c4f7574626f782f41636b65641880d095ffbc31820120010000000000000003000000000000000700"
        "0000000000000700000000000000",
    ),
    "an acknowledgement by alias": (
        encode_acknowledgement(ACKED, AT_MS, (12, 13)),
        "0880d095ffbc311213100c1880d095ffbc315888ef99abc5e88c9111122c100d1880d095ffbc31820120"
        "0100000000000000030000000000000007000000000000000700000000000000",
    ),
    "a node's death": (encode_death(255, AT_MS), "0880d095ffbc3112130a0562645365711880d095ffbc31200458ff01"),
    "a device's death": (encode_device_death(200, AT_MS), "0880d095ffbc3118c801"),
    "a host's presence": (encode_state(HostState(True, AT_MS)), b'{"online": true, "timestamp": 1700000000000}'.hex()),
}

# As centres once wrote it: with types.
TYPED_ACKNOWLEDGEMENT = (
    "0880d095ffbc3112210a0c4f7574626f782f45706f63681880d095ffbc3120085888ef99abc5e88c9111"
    "123a0a0c4f7574626f782f41636b65641880d095ffbc31201d820120"
    "0100000000000000030000000000000007000000000000000700000000000000"
)

# Four samples of block 300: good, negative integer, wire break, unsynchronised clock.
GOLDEN_LIVE = (
    "0885d095ffbc31120c10041885d095ffbc3158ac02120e10051880d095ffbc316500004841120f10061881d095ffbc3150ffffffff0f"
    "123410051882d095ffbc3138014a270a075175616c6974790a06526561736f6e120408031800120e080c420a776972655f627265616b"
    "122910061883d095ffbc314a1c0a06526561736f6e1212080c420e636c6f636b5f756e73796e63656450031809"
)
GOLDEN_HISTORICAL = (
    "0885d095ffbc31120e10041885d095ffbc31280158ac02121010051880d095ffbc3128016500004841"
    "121110061881d095ffbc31280150ffffffff0f"
    "123610051882d095ffbc31280138014a270a075175616c6974790a06526561736f6e120408031800120e080c420a776972655f627265616b"
    "122b10061883d095ffbc3128014a1c0a06526561736f6e1212080c420e636c6f636b5f756e73796e63656450031809"
)

# A node with one known value, one channel without, and a Chinese attribute.
GOLDEN_BIRTH = (
    "0880d095ffbc3112120a0562645365711880d095ffbc312004580712210a144e6f646520436f6e74726f6c2f5265626972746818"
    "80d095ffbc31200b700012220a0c4f7574626f782f45706f63681880d095ffbc3120085881808080808080808001121a0a0c4f75"
    "74626f782f41636b65641880d095ffbc31201d82010012230a1250726f706572746965732f4675726e6163651880d095ffbc3120"
    "0c7a04e7828931121b0a0c4f7574626f782f426c6f636b10041880d095ffbc312008580012c1010a02636f100518f7cf95ffbc31"
    "20094aaa010a07656e67556e69740a06656e674c6f770a07656e67486967680a085175616e746974790a064e616d655a680a064e"
    "616d65456e0a0542617369730a07506572696f64531209080c42056d672f6d33120b080a310000000000000000120b080a310000"
    "000000408f401206080c4202636f1210080c420ce4b880e6b0a7e58c96e7a2b31206080c4202434f1210080c420c6472795f7374"
    "616e64617264120b080a310000000000002440650000484112570a05706861736510061880d095ffbc31200238014a410a065374"
    "617465730a075175616c6974790a06526561736f6e1214080c4210303d69646c652c313d707265686561741205080318f4031209"
    "080c42057374616c651800"
)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_bytes_of(name: str) -> None:
    encoded, golden = COMMANDS[name]
    assert encoded.hex() == golden


def test_golden_commands_are_still_understood() -> None:
    golden = {name: bytes.fromhex(text) for name, (_, text) in COMMANDS.items()}
    assert decode_command(golden["a rebirth request"]) == Command(rebirth=True, sent_at_ms=AT_MS)
    acknowledging = Command(acknowledgement=ACKED, sent_at_ms=AT_MS)
    assert decode_command(golden["an acknowledgement"]) == acknowledging
    assert decode_command(golden["an acknowledgement by alias"], (12, 13)) == acknowledging
    assert decode_command(bytes.fromhex(TYPED_ACKNOWLEDGEMENT)) == acknowledging
    assert decode_death(parse_payload(golden["a node's death"])) == 255
    assert parse_payload(golden["a device's death"]).seq == 200
    assert decode_state(golden["a host's presence"]) == HostState(True, AT_MS)


@pytest.mark.parametrize(("golden", "historical"), [(GOLDEN_LIVE, False), (GOLDEN_HISTORICAL, True)])
def test_golden_data_is_still_understood(golden: str, historical: bool) -> None:
    message = decode_data(parse_payload(bytes.fromhex(golden)), {5: DataType.FLOAT, 6: DataType.INT16}, 4)
    assert (message.seq, message.block, message.historical, message.sent_at_ms) == (9, 300, historical, AT_MS + 5)
    columns = message.columns
    assert columns.keys == [5, 6, 5, 6]
    assert [at_ms - AT_MS for at_ms in columns.measured_at_ms] == [0, 1, 2, 3]
    assert columns.values[:2] == [12.5, -1.0]
    assert math.isnan(columns.values[2])
    assert columns.reasons == [Reason.GOOD, Reason.GOOD, Reason.WIRE_BREAK, Reason.CLOCK_UNSYNCED]


def test_a_golden_birth_is_still_understood() -> None:
    assert decode_birth(parse_payload(bytes.fromhex(GOLDEN_BIRTH))) == Birth(
        channels=(CO, PHASE),
        samples=(Sample(5, AT_MS - 9, 12.5),),
        attributes={"Furnace": "炉1"},
        block_alias=4,
        bd_seq=7,
        epoch=2**63 + 1,
    )
