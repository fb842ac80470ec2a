import re

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.sample import Reason
from ingest_service.store.batch import SampleBatch
from ingest_service.store.remote.names import NODE_DEVICE, SeriesName, fit, series_name
from ingest_service.store.remote.points import encode, means_points, samples_points
from tests.ingest_service.store.batches import START_MS, means, samples

NAMES = {
    1: series_name(1, 1, "east", "gw", "plc", "co", "1"),
    2: series_name(2, 1, "east", "gw", "plc", "o2, dry=1", "1"),
    3: series_name(3, 2, "west side", "gw", "", "uptime", None),
}
_SPLIT = re.compile(r"(?<!\\) ")


def lines_of(batch: SampleBatch) -> list[str]:
    return [line for points in samples_points(batch, NAMES) for line in encode(points).decode().splitlines()]


def values_of(lines: list[str]) -> dict[tuple[str, str, int], float]:
    """Head, field and time of every value."""
    found: dict[tuple[str, str, int], float] = {}
    for line in lines:
        head, fields, at_ms = _SPLIT.split(line)
        for pair in re.split(r"(?<!\\),", fields):
            name, value = re.split(r"(?<!\\)=", pair)
            found[head, name, int(at_ms)] = float(value)
    return found


def test_all_that_a_device_read_at_one_time_is_one_line() -> None:
    batch = samples([(2, 0, 11.5), (1, 1000, 43.0), (1, 0, 42.0), (3, 0, 7.0)])
    assert lines_of(batch) == [
        rf"sample,home=east,edge=gw,device=plc,furnace=1 o2\,\ dry\=1=11.5,co=42.0 {START_MS}",
        f"sample,home=east,edge=gw,device=plc,furnace=1 co=43.0 {START_MS + 1000}",
        rf"sample,home=west\ side,edge=gw,device={NODE_DEVICE} uptime=7.0 {START_MS}",
    ]


def test_whole_numbers_are_written_as_floats_and_bad_samples_by_their_reason_alone() -> None:
    batch = samples([(1, 0, 1.0), (1, 1, float("nan")), (1, 2, 3.0)])
    batch.reason[:] = [Reason.GOOD, Reason.TIMEOUT, Reason.CLOCK_UNSYNCED]
    found = values_of(lines_of(batch))
    assert [(head.partition(",")[0], at_ms - START_MS, value) for (head, _, at_ms), value in found.items()] == [
        ("sample", 0, 1.0), ("sample", 2, 3.0), ("quality", 1, 32.0), ("quality", 2, 1.0),
    ]  # fmt: skip


def test_nothing_makes_no_line() -> None:
    assert lines_of(samples([])) == []


def test_means_are_four_measurements_and_what_is_not_valid_has_its_share_only() -> None:
    batch = means([(1, 0, 5.0), (1, 60_000, float("nan"))])
    lines = [encode(points).decode() for points in means_points(batch, batch.start_ms, "minute", NAMES)]
    assert [line.partition(",")[0] for line in lines] == ["minute_mean", "minute_low", "minute_high", "minute_covered"]
    assert [line.count("\n") + 1 for line in lines] == [1, 1, 1, 2]


rows = st.lists(
    st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 5), st.floats(allow_nan=False, allow_infinity=False)),
    max_size=30,
    unique_by=lambda row: row[:2],
)


@given(rows, st.integers(0, 30))
def test_two_parts_hold_what_the_whole_holds_and_every_value_to_its_last_bit(
    given_rows: list[tuple[int, int, float]], cut: int
) -> None:
    points, _ = samples_points(samples(given_rows), NAMES)
    parts = [encode(points.part(0, cut)).decode(), encode(points.part(cut, len(points))).decode()]
    whole = values_of(encode(points).decode().splitlines())
    assert values_of([line for part in parts for line in part.splitlines()]) == whole
    expected = {(NAMES[series].field, START_MS + at): value for series, at, value in given_rows}
    assert {(field, at): value for (_, field, at), value in whole.items()} == expected


@given(rows)
def test_each_point_knows_the_row_it_came_from(given_rows: list[tuple[int, int, float]]) -> None:
    batch = samples(given_rows)
    points, _ = samples_points(batch, NAMES)
    np.testing.assert_array_equal(batch.value[points.row], points.value)


@given(st.text())
def test_a_fit_name_holds_nothing_that_ends_a_line_or_a_text(text: str) -> None:
    assert not set(fit(text)) & set('\n\r\t\\"')


def test_the_key_of_a_series_leaves_the_furnace_out() -> None:
    moved = msgspec.structs.replace(NAMES[1], furnace="2")
    assert isinstance(moved, SeriesName)
    assert (moved.key, moved.tags == NAMES[1].tags) == (NAMES[1].key, False)
