"""decode(encode(x)) == x for everything that travels, and garbage is a ValueError and nothing else."""

import math
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.wire.birth import Birth, ChannelBirth, command_aliases, decode_birth, encode_birth
from edge_agent.wire.command import (
    Acknowledgement,
    decode_command,
    decode_death,
    decode_state,
    encode_acknowledgement,
    encode_death,
    parse_payload,
)
from edge_agent.wire.data import DataMessage, decode_data, encode_data, mark_of, marked, unmarked
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason, Sample, reason_from_label
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType, Topic, parse_topic

uint64 = st.integers(0, 2**64 - 1)
times_ms = st.integers(1, 2**53)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
ids = st.text(st.characters(codec="utf-8", exclude_characters="+#/\x00"), min_size=1, max_size=12)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
VALUES: dict[DataType, st.SearchStrategy[float]] = {
    DataType.INT16: st.integers(-(2**15), 2**15 - 1).map(float),
    DataType.UINT32: st.integers(0, 2**32 - 1).map(float),
    DataType.INT64: st.integers(-(2**53), 2**53).map(float),
    DataType.FLOAT: st.floats(width=32, allow_nan=False, allow_infinity=False),
    DataType.DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    DataType.BOOLEAN: st.booleans().map(float),
}
GOOD = [reason for reason in Reason if not reason.is_bad]
BAD = [reason for reason in Reason if reason.is_bad]


@st.composite
def samples_of(draw: st.DrawFn, types: dict[int, DataType]) -> Sample:
    alias, at_ms = draw(st.sampled_from(sorted(types))), draw(times_ms)
    if draw(st.booleans()):
        return Sample(alias, at_ms, None, draw(st.sampled_from(BAD)))
    return Sample(alias, at_ms, draw(VALUES[types[alias]]), draw(st.sampled_from(GOOD)))


TYPES = dict(enumerate(VALUES, start=1))
KEYED: dict[int | str, DataType] = {alias: kind for alias, kind in TYPES.items()}


def back(message: DataMessage) -> list[Sample]:
    columns = message.columns
    rows = zip(columns.keys, columns.measured_at_ms, columns.values, columns.reasons, strict=True)
    return [Sample(int(key), at, None if math.isnan(value) else value, Reason(why)) for key, at, value, why in rows]


blocks = st.integers(0, 2**40 - 1) | st.integers(2**62, 2**62 + 2**40 - 1)
marks = st.just(0) | uint64.map(mark_of)


@given(st.lists(samples_of(TYPES), max_size=6), st.integers(0, 255), blocks, st.booleans(), marks)
def test_data(samples: list[Sample], seq: int, block: int, historical: bool, mark: int) -> None:
    payload = encode_data(
        samples, TYPES, seq=seq, sent_at_ms=5, block=block, block_alias=2**64 - 1, historical=historical, mark=mark
    )
    message = decode_data(parse_payload(payload), KEYED, 2**64 - 1)
    assert back(message) == samples
    assert (message.seq, message.block, message.mark, message.sent_at_ms) == (seq, block, mark, 5)
    assert message.historical == (historical and bool(samples))


@given(st.lists(samples_of(TYPES), min_size=1, max_size=6), st.integers(1, 2**53))
def test_the_metrics_of_a_data_message_are_in_order_of_time(samples: list[Sample], sent_at_ms: int) -> None:
    ordered = sorted(samples, key=lambda sample: sample.measured_at_ms)
    payload = encode_data(ordered, TYPES, seq=0, sent_at_ms=sent_at_ms, block=1, block_alias=99, historical=False)
    times_ms = [metric.timestamp for metric in parse_payload(payload).metrics]
    assert times_ms == sorted(times_ms)
    assert len(times_ms) == len(samples) + 1


@given(uint64, blocks)
def test_a_marked_block_number_has_the_same_length_whatever_its_epoch(epoch: int, block: int) -> None:
    sent = marked(block % 2**40, mark_of(epoch))
    assert 2**55 <= sent < 2**56
    assert unmarked(sent) == (block % 2**40, mark_of(epoch))


@given(st.lists(texts, min_size=1, max_size=4))
def test_texts_are_kept_apart_from_numbers(values: list[str]) -> None:
    samples = [Sample(1, 7, value) for value in values]
    payload = encode_data(samples, {1: DataType.STRING}, seq=0, sent_at_ms=5, block=1, block_alias=9, historical=False)
    message = decode_data(parse_payload(payload), {1: DataType.STRING}, 9)
    assert message.columns.texts == [(1, 7, value) for value in values]
    assert message.columns.values == []


channels = st.builds(
    ChannelBirth,
    name=ids.map("channel ".__add__),
    alias=st.none() | st.integers(1, 2**64 - 1),
    datatype=st.sampled_from(sorted(VALUES)),
    unit=texts,
    quantity=texts,
    name_zh=texts,
    name_en=texts,
    basis=texts,
    low=numbers,
    high=numbers,
    period_s=numbers,
    states=st.dictionaries(st.integers(-9, 99), st.sampled_from(["idle", "main", "门开"]), max_size=3),
)


@given(st.lists(channels, max_size=3).map(tuple), st.dictionaries(ids, texts, max_size=2), uint64, st.integers(0, 255))
def test_births(found: tuple[ChannelBirth, ...], attributes: dict[str, str], epoch: int, bd_seq: int) -> None:
    birth = Birth(channels=found, attributes=attributes, block_alias=3, bd_seq=bd_seq, epoch=epoch)
    decoded = decode_birth(parse_payload(encode_birth(birth, 0, 5)))
    assert decoded.command_aliases is not None
    assert replace(decoded, command_aliases=None) == birth


@given(st.lists(channels, max_size=3, unique_by=lambda channel: channel.alias).map(tuple), uint64)
@example((ChannelBirth(name="a", alias=4, datatype=DataType.INT16),), 1)
def test_where_blocks_are_numbered_a_birth_gives_all_that_is_no_channel_an_alias_of_its_own(
    found: tuple[ChannelBirth, ...], epoch: int
) -> None:
    assume(not {3, 7} & {channel.alias for channel in found})
    birth = Birth(channels=found, attributes={"a": "1", "b": "2"}, block_alias=3, gap_alias=7, bd_seq=1, epoch=epoch)
    metrics = parse_payload(encode_birth(birth, 0, 5)).metrics
    aliases = [metric.alias for metric in metrics if metric.HasField("alias")]
    assert len(set(aliases)) == len(aliases)
    names = {metric.name for metric in metrics if not metric.HasField("alias")}
    assert names == {"Node Control/Rebirth", *(channel.name for channel in found if channel.alias is None)}


@given(st.lists(samples_of(TYPES), max_size=6), times_ms)
def test_the_metrics_of_a_birth_are_in_order_of_time(samples: list[Sample], sent_at_ms: int) -> None:
    described = tuple(ChannelBirth(name=kind.name, alias=alias, datatype=kind) for alias, kind in TYPES.items())
    birth = Birth(channels=described, samples=tuple(samples), attributes={"Furnace": "1"}, bd_seq=1, epoch=2)
    times = [metric.timestamp for metric in parse_payload(encode_birth(birth, 0, sent_at_ms)).metrics]
    assert times == sorted(times)


@given(st.data())
def test_the_first_values_of_a_birth(data: st.DataObject) -> None:
    found = {sample.alias: sample for sample in data.draw(st.lists(samples_of(TYPES), max_size=6))}
    described = tuple(ChannelBirth(name=kind.name, alias=alias, datatype=kind) for alias, kind in TYPES.items())
    birth = Birth(channels=described, samples=tuple(found.values()))
    decoded = decode_birth(parse_payload(encode_birth(birth, 0, 5)))
    known = {s.alias: (s.measured_at_ms, s.value) for s in found.values() if s.value is not None}
    assert {s.alias: (s.measured_at_ms, s.value) for s in decoded.samples} == known


def test_a_first_value_that_may_not_be_trusted_says_why() -> None:
    channel = ChannelBirth(name="co", alias=4, datatype=DataType.DOUBLE)
    birth = Birth(channels=(channel,), samples=(Sample(4, 7, 1.5, Reason.CLOCK_UNSYNCED),))
    [message] = [decode_data(parse_payload(encode_birth(birth, 0, 5)), {4: DataType.DOUBLE}, None)]
    assert (message.columns.values, message.columns.reasons) == ([1.5], [Reason.CLOCK_UNSYNCED])


pairs = st.tuples(uint64, uint64).map(sorted).map(lambda pair: (pair[0], pair[1]))


@given(uint64, st.lists(pairs, max_size=5).map(tuple))
def test_acknowledgements(epoch: int, ranges: tuple[tuple[int, int], ...]) -> None:
    acknowledgement = Acknowledgement(epoch, ranges)
    assert decode_command(encode_acknowledgement(acknowledgement, 5)).acknowledgement == acknowledgement


@given(uint64, st.tuples(uint64, uint64).filter(lambda pair: pair[0] != pair[1]))
def test_acknowledgements_by_the_aliases_that_a_birth_gave(epoch: int, aliases: tuple[int, int]) -> None:
    acknowledgement = Acknowledgement(epoch, ((1, 2),))
    payload = encode_acknowledgement(acknowledgement, 5, aliases)
    assert not any(metric.name for metric in parse_payload(payload).metrics)
    assert decode_command(payload, aliases).acknowledgement == acknowledgement
    assert decode_command(payload).acknowledgement is None


def test_a_node_hears_acknowledgements_by_the_aliases_of_its_birth() -> None:
    birth = Birth(channels=(), attributes={"Software": "x"}, block_alias=1, bd_seq=3, epoch=9)
    assert command_aliases(birth) == decode_birth(parse_payload(encode_birth(birth, 0, 5))).command_aliases
    assert command_aliases(Birth(channels=(), bd_seq=3, epoch=9)) is None


@given(st.integers(0, 255))
def test_deaths(bd_seq: int) -> None:
    payload = parse_payload(encode_death(bd_seq, 5))
    assert decode_death(payload) == bd_seq
    assert not payload.HasField("seq")


@given(ids, st.sampled_from(MessageType), ids, ids)
def test_topics(group: str, kind: MessageType, edge: str, device: str) -> None:
    topic = Topic(group, kind, edge, device if kind.is_device else None)
    assert parse_topic(str(topic)) == topic


@pytest.mark.parametrize("identity", ["", "a+b", "a#", "a/b", "a\0b"])
@pytest.mark.parametrize("place", ["group", "edge", "device"])
def test_an_id_that_sparkplug_or_mqtt_forbids_is_refused(identity: str, place: str) -> None:
    ids = {"group": "g", "edge": "e", "device": "d"} | {place: identity}
    with pytest.raises(ValueError, match="must not be empty nor hold"):
        Topic(ids["group"], MessageType.DDATA, ids["edge"], ids["device"])


@given(st.sampled_from(Reason))
def test_reason_labels(reason: Reason) -> None:
    assert reason_from_label(reason.label, bad=reason.is_bad) is reason


def test_a_reason_of_a_newer_edge_is_plain_bad_or_uncertain() -> None:
    assert reason_from_label("solar_flare", bad=True) is Reason.BAD
    assert reason_from_label("solar_flare", bad=False) is Reason.UNCERTAIN


def read_data(payload: bytes) -> object:
    return decode_data(parse_payload(payload), {}, None)


def read_birth(payload: bytes) -> object:
    return decode_birth(parse_payload(payload))


def read_death(payload: bytes) -> object:
    return decode_death(parse_payload(payload))


@pytest.mark.parametrize("read", [read_data, read_birth, read_death, decode_command, decode_state])
@given(garbage=st.binary(max_size=60))
def test_garbage_is_read_or_refused_with_a_value_error(read: Callable[[bytes], object], garbage: bytes) -> None:
    with suppress(ValueError):
        assert read(garbage) != garbage


@pytest.mark.parametrize(
    "numbers", [(1,), (3, 1), (1, 2, 3)], ids=["half a pair", "last before first", "a pair and a half"]
)
def test_an_acknowledgement_is_refused_that_has(numbers: tuple[int, ...]) -> None:
    payload = Payload()
    payload.metrics.add(name="Outbox/Epoch", long_value=1)
    payload.metrics.add(name="Outbox/Acked", bytes_value=struct.pack(f"<{len(numbers)}Q", *numbers))
    with pytest.raises(ValueError, match="pairs"):
        decode_command(payload.SerializeToString())


def test_a_command_without_a_timestamp_and_with_unknown_metrics_is_understood() -> None:
    payload = Payload()
    payload.metrics.add(name="Node Control/Reboot", boolean_value=True)
    payload.metrics.add(name="Node Control/Rebirth", boolean_value=True)
    assert decode_command(payload.SerializeToString()).rebirth


@pytest.mark.parametrize(
    "topic", ["", "a/b", "spBv1.0/g/NBIRTH", "spBv1.0/g/NOPE/e", "spAv1.0/g/NBIRTH/e", "spBv1.0/g/DDATA/e",
              "spBv1.0/g/NDATA/e/d", "spBv1.0//NDATA/e", "spBv1.0/STATE/host"],
)  # fmt: skip
def test_is_no_topic_of_a_node_or_device(topic: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_topic(topic)


@pytest.mark.parametrize(("value", "reason"), [(None, Reason.GOOD), (1.0, Reason.TIMEOUT), (None, Reason.UNCERTAIN)])
def test_a_sample_has_a_value_exactly_when_it_is_not_bad(value: float | None, reason: Reason) -> None:
    with pytest.raises(ValueError, match="does not go with"):
        Sample(1, 1, value, reason)
