"""The scan of many payloads says what the general decoder says of each, for whatever it calls plain."""

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.command import parse_payload
from edge_agent.wire.data import decode_data, encode_data, mark_of
from edge_agent.wire.metric import DataType, set_value
from edge_agent.wire.sample import Reason, Sample
from edge_agent.wire.sparkplug_b_pb2 import Payload
from ingest_service.intake.alias_table import BLOCK, UNKNOWN, AliasTable, alias_table, look_up
from ingest_service.intake.plain import read_plain
from ingest_service.intake.scanning import scan

AT_MS = 1_764_000_000_000
BLOCK_ALIAS = 7
TYPES: dict[int, DataType] = {
    10: DataType.DOUBLE,
    11: DataType.FLOAT,
    12: DataType.INT16,
    13: DataType.UINT32,
    14: DataType.INT64,
    15: DataType.BOOLEAN,
    16: DataType.INT8,
    900: DataType.UINT64,
    4_000: DataType.INT32,
}
KEYED: dict[int | str, DataType] = {alias: datatype for alias, datatype in TYPES.items()}
SERIES = {alias: at for at, alias in enumerate(TYPES)}
TABLE = alias_table(SERIES, TYPES, BLOCK_ALIAS)
STRANGER = 5_000  # an alias that no birth named

Row = tuple[int, int, bytes]  # series, time, bits of the value


def plainly(payloads: Sequence[bytes]) -> list[tuple[int, int, int, int, bool, list[Row]] | None]:
    """Of each payload what the scan reads in it; None where it is not plain."""
    assert TABLE is not None
    scanned = scan(payloads)
    messages = np.flatnonzero(scanned.plain)
    read = read_plain(scanned, messages, [TABLE] * len(messages))
    found: list[tuple[int, int, int, int, bool, list[Row]] | None] = [None] * len(payloads)
    for at, message in enumerate(messages.tolist()):
        span = slice(int(read.bounds[at]), int(read.bounds[at + 1]))
        columns = (read.series[span].tolist(), read.measured_at_ms[span].tolist(), read.value[span].tolist())
        rows = [(series, at_ms, struct.pack("<d", value)) for series, at_ms, value in zip(*columns, strict=True)]
        head = int(scanned.sent_at_ms[message]), int(scanned.seq[message])
        found[message] = (*head, read.block[at], read.mark[at], read.historical[at], rows)
    return found


def generally(payload: bytes) -> tuple[int, int, int, int, bool, list[Row]]:
    """What the general decoder reads in it."""
    message = decode_data(parse_payload(payload), KEYED, BLOCK_ALIAS)
    columns = message.columns
    assert not columns.texts
    assert set(columns.reasons) <= {Reason.GOOD}
    rows = [
        (SERIES.get(int(key), UNKNOWN), at_ms, struct.pack("<d", value))
        for key, at_ms, value in zip(columns.keys, columns.measured_at_ms, columns.values, strict=True)
    ]
    return message.sent_at_ms, message.seq, message.block, message.mark, message.historical, rows


WHOLE = {
    DataType.INT8: (-(2**7), 2**7 - 1),
    DataType.INT16: (-(2**15), 2**15 - 1),
    DataType.INT32: (-(2**31), 2**31 - 1),
    DataType.INT64: (-(2**63), 2**63 - 1),
    DataType.UINT32: (0, 2**32 - 1),
    DataType.UINT64: (0, 2**64 - 1),
}
VALUES: dict[DataType, st.SearchStrategy[float]] = {
    DataType.DOUBLE: st.floats(),
    DataType.FLOAT: st.floats(width=32),
    DataType.BOOLEAN: st.booleans(),
    **{datatype: st.integers(*bounds) for datatype, bounds in WHOLE.items()},
}
times_ms = st.integers(AT_MS, AT_MS + 10**9) | st.integers(0, 2**48)


@st.composite
def payloads(draw: st.DrawFn) -> Payload:
    """Data of any make by alias with numbers: fields may be missing, types may be named."""
    payload = Payload()
    if draw(st.booleans()):
        payload.timestamp = draw(times_ms)
    if draw(st.booleans()):
        payload.seq = draw(st.integers(0, 255))
    for alias in draw(st.lists(st.sampled_from([*TYPES, STRANGER, BLOCK_ALIAS]), max_size=12)):
        datatype = TYPES.get(alias, DataType.UINT64)
        metric = payload.metrics.add(alias=alias)
        set_value(metric, datatype, draw(VALUES[datatype]))
        if draw(st.booleans()):
            metric.timestamp = draw(times_ms)
        if draw(st.integers(0, 4)) == 0:
            metric.datatype = datatype
        if draw(st.integers(0, 4)) == 0:
            metric.is_historical = draw(st.booleans())
    return payload


@given(st.lists(payloads(), max_size=8))
def test_what_is_plain_is_read_as_the_general_decoder_reads_it(made: list[Payload]) -> None:
    sent = [payload.SerializeToString() for payload in made]
    for payload, found in zip(sent, plainly(sent), strict=True):
        assert found is None or found == generally(payload)


@given(payloads(), st.data())
def test_whatever_happens_to_its_bytes(made: Payload, data: st.DataObject) -> None:
    octets = bytearray(made.SerializeToString() or b"\x08\x01")
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    sent = [bytes(octets), bytes(octets[:cut]), made.SerializeToString()]
    for payload, found in zip(sent, plainly(sent), strict=True):
        assert found is None or found == generally(payload)


def test_a_signalling_nan_is_read_as_a_quiet_one() -> None:
    infinite = Payload(timestamp=1, seq=1)
    infinite.metrics.add(alias=11, timestamp=1, float_value=float("inf"))
    sent = infinite.SerializeToString().replace(b"\x00\x00\x80\x7f", b"\x01\x00\x80\x7f")
    (found,) = plainly([sent])
    assert found is not None
    assert found == generally(sent)
    assert [struct.unpack("<d", bits)[0] for _, _, bits in found[-1]] == pytest.approx([float("nan")], nan_ok=True)


@given(st.binary(max_size=60))
def test_garbage_is_not_plain_or_no_garbage(octets: bytes) -> None:
    (found,) = plainly([octets])
    assert found is None or found == generally(octets)


values = st.sampled_from(sorted(TYPES)).flatmap(lambda alias: st.tuples(st.just(alias), VALUES[TYPES[alias]]))


@given(st.lists(values, max_size=50), st.booleans(), st.integers(0, 2**40 - 1), st.integers(0, 255))
def test_what_our_own_edges_send_is_plain(
    made: list[tuple[int, float]], historical: bool, block: int, seq: int
) -> None:
    kept = [(alias, value) for alias, value in made if not (TYPES[alias] in WHOLE and abs(value) >= 2**55)]
    signed = {DataType.INT64}
    samples = [
        Sample(alias, AT_MS + at, value)
        for at, (alias, value) in enumerate(kept)
        if not (TYPES[alias] in signed and value < 0)
    ]
    payload = encode_data(
        samples, TYPES, seq=seq, sent_at_ms=AT_MS, block=block, block_alias=BLOCK_ALIAS,
        historical=historical, mark=mark_of(77),
    )  # fmt: skip
    (found,) = plainly([payload])
    assert found == generally(payload)
    assert found is not None
    assert found[2:4] == (block, mark_of(77))


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(Sample(10, AT_MS, None, Reason.TIMEOUT), id="a bad sample"),
        pytest.param(Sample(10, AT_MS, 1.0, Reason.CLOCK_UNSYNCED), id="a doubtful sample"),
    ],
)
def test_a_message_with_more_than_numbers_is_left_to_the_general_decoder(sample: Sample) -> None:
    samples = [Sample(11, AT_MS, 1.0), sample]
    payload = encode_data(samples, TYPES, seq=1, sent_at_ms=AT_MS, block=1, block_alias=BLOCK_ALIAS, historical=False)
    good = encode_data(samples[:1], TYPES, seq=1, sent_at_ms=AT_MS, block=1, block_alias=BLOCK_ALIAS, historical=False)
    assert plainly([payload, good, payload]) == [None, generally(good), None]


def test_more_messages_than_are_read_at_once_keep_their_order() -> None:
    sent = [
        encode_data([Sample(10, AT_MS + at, float(at))], TYPES, seq=at % 256, sent_at_ms=AT_MS, block=at,
                    block_alias=BLOCK_ALIAS, historical=False)
        for at in range(2_500)
    ]  # fmt: skip
    assert plainly(sent) == [generally(payload) for payload in sent]


def test_nothing_is_scanned_from_nothing() -> None:
    assert plainly([]) == []
    assert plainly([b""]) == [generally(b"")]


def test_the_same_alias_means_what_its_own_device_says() -> None:
    east, west = AliasTable(10, *_columns(5, 6)), AliasTable(11, *_columns(7, BLOCK))
    found = look_up([east, west, east], np.array([2, 3, 1]), np.array([10, 11, 11, 12, 10, 9]))
    assert found.series.tolist() == [5, 6, 7, BLOCK, UNKNOWN, UNKNOWN]


def test_a_device_with_aliases_far_apart_has_no_table() -> None:
    far = {1: 1, 10**9: 2}
    assert alias_table(far, dict.fromkeys(far, DataType.FLOAT), None) is None


def _columns(
    *series: int,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    return np.array(series, np.int32), np.zeros(len(series), np.uint8)
