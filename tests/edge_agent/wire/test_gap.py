"""Gap records and acknowledged ranges as bytes; the golden ones never change."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.birth import AcknowledgedRange, Birth, decode_birth, encode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.data import decode_data
from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, GapReason, NumberedGap, decode_gap, encode_gap

AT_MS = 1_700_000_000_000
BLOCK_ALIAS, GAP_ALIAS = 1, 4095
RECORD = NumberedGap(
    FIRST_GAP_BLOCK + 3,
    Gap(
        device="furnace-1", from_ms=AT_MS, to_ms=AT_MS + 60_000, samples=120, reason=GapReason.SIZE_LIMIT,
        channels=("co", "一氧化碳"), epoch=0x1122334455667788, first_block=5, last_block=64,
    ),
)  # fmt: skip
BIRTH = Birth(
    channels=(),
    block_alias=BLOCK_ALIAS,
    gap_alias=GAP_ALIAS,
    bd_seq=7,
    epoch=99,
    acknowledged=(AcknowledgedRange(1, 700, AT_MS, AT_MS + 5), AcknowledgedRange(801, 900, AT_MS + 9, AT_MS + 10)),
)
GOLDEN_GAP = (
    "08f0f299ffbc311215100118e0a499ffbc3128015883808080808080804012d40110ff1f18e0a499ffbc3128017ac5017b226465"
    "76696365223a226675726e6163652d31222c2266726f6d5f6d73223a313730303030303030303030302c22746f5f6d73223a3137"
    "30303030303036303030302c2273616d706c6573223a3132302c22726561736f6e223a2273697a655f6c696d6974222c22636861"
    "6e6e656c73223a5b22636f222c22e4b880e6b0a7e58c96e7a2b3225d2c2265706f6368223a313233343630353631363433363530"
    "383535322c2266697273745f626c6f636b223a352c226c6173745f626c6f636b223a36347d1809"
)
GOLDEN_BIRTH = (
    "0880d095ffbc3112140a05626453657110021880d095ffbc312004580712210a144e6f646520436f6e74726f6c2f526562697274"
    "681880d095ffbc31200b7000121b0a0c4f7574626f782f45706f636810031880d095ffbc3120085863123c0a0c4f7574626f782f"
    "41636b656410041880d095ffbc3120118201200100000000000000bc020000000000002103000000000000840300000000000012"
    "410a114f7574626f782f41636b65645370616e7310051880d095ffbc3120118201200068e5cf8b0100000568e5cf8b0100000968"
    "e5cf8b0100000a68e5cf8b010000121b0a0c4f7574626f782f426c6f636b10011880d095ffbc3120085800121a0a0a4f7574626f"
    "782f47617010ff1f1880d095ffbc31200c38011800"
)


def encoded(record: NumberedGap) -> bytes:
    return encode_gap(record, seq=9, sent_at_ms=AT_MS + 70_000, block_alias=BLOCK_ALIAS, gap_alias=GAP_ALIAS)


def understood(payload: bytes) -> NumberedGap:
    """As the centre reads it: a data message with a text under the alias of gap records."""
    message = decode_data(parse_payload(payload), {}, BLOCK_ALIAS)
    ((key, _, text),) = message.columns.texts
    assert (key, message.historical, message.columns.keys) == (GAP_ALIAS, True, [])
    return decode_gap(message.block, text)


def test_a_gap_record_has_these_bytes_and_they_are_still_understood() -> None:
    assert encoded(RECORD).hex() == GOLDEN_GAP
    assert understood(bytes.fromhex(GOLDEN_GAP)) == RECORD


def test_a_birth_with_acknowledged_ranges_has_these_bytes_and_they_are_still_understood() -> None:
    assert encode_birth(BIRTH, 0, AT_MS).hex() == GOLDEN_BIRTH
    understood_birth = decode_birth(parse_payload(bytes.fromhex(GOLDEN_BIRTH)))
    assert understood_birth == msgspec.structs.replace(BIRTH, command_aliases=(3, 4))


def test_other_hosts_see_nothing_but_historical_metrics_in_a_gap_record() -> None:
    assert all(metric.is_historical for metric in parse_payload(encoded(RECORD)).metrics)


@given(
    st.integers(0, 2**40 - 1),
    st.text(max_size=40),
    st.lists(st.integers(0, 2**53), min_size=2, max_size=2).map(sorted),
    st.integers(0, 2**53),
    st.sampled_from(GapReason),
    st.lists(st.text(max_size=20), max_size=3),
    st.integers(0, 2**63 - 1),
)
def test_every_gap_is_read_as_it_was_written(
    number: int, device: str, span: list[int], samples: int, reason: GapReason, channels: list[str], epoch: int
) -> None:
    from_ms, to_ms = span
    gap = Gap(device, from_ms, to_ms, samples, reason, tuple(channels), epoch, 3, 4)
    record = NumberedGap(FIRST_GAP_BLOCK + number, gap)
    assert understood(encoded(record)) == record


def test_a_reason_and_a_field_of_a_newer_edge_do_no_harm() -> None:
    text = '{"device":"f","from_ms":1,"to_ms":2,"samples":0,"reason":"solar_flare","colour":"red"}'
    assert decode_gap(FIRST_GAP_BLOCK, text).gap == Gap("f", 1, 2, 0, GapReason.OTHER)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(FIRST_GAP_BLOCK, "no json", id="text that is no JSON"),
        pytest.param(FIRST_GAP_BLOCK, '{"device":"f"}', id="fields missing"),
        pytest.param(5, '{"device":"f","from_ms":1,"to_ms":2,"samples":0,"reason":"overrun"}', id="a sample block"),
        pytest.param(
            FIRST_GAP_BLOCK,
            '{"device":"f","from_ms":3,"to_ms":2,"samples":0,"reason":"overrun"}',
            id="an end too early",
        ),
        pytest.param(
            FIRST_GAP_BLOCK, '{"device":"f","from_ms":1,"to_ms":1e300,"samples":0,"reason":"overrun"}', id="no time"
        ),
        pytest.param(
            2**63, '{"device":"f","from_ms":1,"to_ms":2,"samples":0,"reason":"overrun"}', id="a number out of range"
        ),
    ],
)
def test_a_gap_record_is_refused_with(number: int, text: str) -> None:
    with pytest.raises(ValueError, match=r"gap"):
        decode_gap(number, text)


@pytest.mark.parametrize(
    "ranges",
    [
        pytest.param((AcknowledgedRange(5, 4, 0, 1),), id="numbers the wrong way round"),
        pytest.param((AcknowledgedRange(4, 5, 2, 1),), id="times the wrong way round"),
    ],
)
def test_a_birth_is_refused_with(ranges: tuple[AcknowledgedRange, ...]) -> None:
    payload = encode_birth(msgspec.structs.replace(BIRTH, acknowledged=ranges), 0, AT_MS)
    with pytest.raises(ValueError, match="before it begins"):
        decode_birth(parse_payload(payload))
