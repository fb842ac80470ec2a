"""Reads planned for whole profiles: what they decode is what one read per channel would have given."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.profile import AddressRange, Channel, Origin, Profile, ReadLimits
from edge_agent.devices.reads import PlannedRead, plan_reads
from edge_agent.modbus.value import Byte, Encoding, Order, Table, ValueType
from edge_agent.wire.sample import Reason

LAST = 79
SHORT_ORDERS = [Order.ABCD, Order.CDAB, Order.BADC, Order.DCBA]
FORBIDDEN = AddressRange(40, 43)
Decoded = dict[int, tuple[float | str | None, Reason]]


@st.composite
def encodings(draw: st.DrawFn, table: Table) -> Encoding:
    if table.holds_bits:
        return Encoding(type=ValueType.BIT)
    kind = draw(st.sampled_from(ValueType))
    long = kind in (ValueType.INT64, ValueType.UINT64, ValueType.FLOAT64)
    return Encoding(
        type=kind,
        order=draw(st.sampled_from(list(Order) if long else SHORT_ORDERS)),
        bit=draw(st.integers(0, 12)),
        width=3,
        byte=draw(st.sampled_from(Byte)),
        length=draw(st.sampled_from([1, 2, 4])),
    )


@st.composite
def channels(draw: st.DrawFn) -> Channel:
    table = draw(st.sampled_from(Table))
    encoding = draw(encodings(table))
    width = 1 if table.holds_bits else encoding.registers
    apart = st.integers(0, LAST - width).filter(lambda at: at > FORBIDDEN.last or at + width <= FORBIDDEN.first)
    return Channel(name="x", table=table, address=draw(apart), encoding=encoding)


def profile_of(members: list[Channel], limits: ReadLimits) -> Profile:
    return Profile(
        id="x", name_zh="", name_en="", origin=Origin.EXAMPLE, source="", limits=limits, channels=tuple(members)
    )


def decoded(reads: tuple[PlannedRead, ...], memory: list[int]) -> Decoded:
    """Every channel's reading, by position; a table of bits holds the lowest bit of each word."""
    result: Decoded = {}
    for read in reads:
        block = read.block
        words = memory[block.first : block.first + block.count]
        readings = read.decoder.decode([word & 1 for word in words] if block.table.holds_bits else words)
        for position, value, reason in zip(read.positions, readings.values, readings.reasons, strict=True):
            assert position not in result
            result[position] = (value, reason)
    return result


LIMITS = st.builds(
    ReadLimits,
    max_registers=st.integers(4, 40),
    max_bits=st.integers(1, 40),
    max_hole=st.integers(0, 20),
    never_read=st.just((FORBIDDEN,)),
)
MEMORY = st.lists(st.integers(0, 0xFFFF), min_size=LAST + 1, max_size=LAST + 1)


@given(st.lists(channels(), min_size=1, max_size=20), LIMITS, MEMORY)
def test_every_channel_is_read_once_and_as_if_it_were_read_alone(
    members: list[Channel], limits: ReadLimits, memory: list[int]
) -> None:
    profile = profile_of(members, limits)
    together = decoded(plan_reads(profile, range(len(members))), memory)
    alone = {at: decoded(plan_reads(profile, [at]), memory)[at] for at in range(len(members))}
    assert together == alone


@given(st.lists(channels(), min_size=1, max_size=20), LIMITS)
def test_a_plan_keeps_each_table_s_caps_and_out_of_forbidden_ranges(members: list[Channel], limits: ReadLimits) -> None:
    for read in plan_reads(profile_of(members, limits), range(len(members))):
        block = read.block
        assert block.count <= (limits.max_bits if block.table.holds_bits else limits.max_registers)
        assert block.first > FORBIDDEN.last or block.first + block.count <= FORBIDDEN.first
        assert {members[at].table for at in read.positions} == {block.table}
