import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from edge_agent.wire.sample import Reason
from ingest_service.errors import StoreError
from ingest_service.store.batch import SampleBatch, empty_samples
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.timeseries import TimeSeriesStore, WriteResult
from tests.ingest_service.store.batches import (
    EPOCH,
    START_MS,
    Row,
    many_blocks,
    marks_of,
    means,
    means_of,
    one_block,
    rows_of,
)
from tests.ingest_service.store.stores import Opener

# Every store that passes this suite may run the service; a further one is a further line, and a fixture of that name.
STORES = ("embedded_opener", "influx_opener", "victoria_opener")


@pytest.fixture(params=STORES, ids=lambda name: name.removesuffix("_opener"))
def opener(request: pytest.FixtureRequest) -> Opener:
    chosen: Opener = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def store(opener: Opener, tmp_path: Path) -> Iterator[TimeSeriesStore]:
    opened = opener(tmp_path / "store")
    yield opened
    opened.close()


def everything(store: TimeSeriesStore, series: tuple[int, ...] = (1, 2, 3)) -> list[Row]:
    return rows_of(store.raw(series, START_MS - 100 * HOUR_MS, START_MS + 100 * HOUR_MS))


def test_what_is_written_is_read_sorted_by_series_and_time(store: TimeSeriesStore) -> None:
    result = store.write(one_block(1, [(2, 1000, 20.0), (1, 2000, 12.0), (1, 1000, 11.0)]))
    assert result == WriteResult(stored=3, repeated=0)
    assert everything(store) == [(1, 1000, 11.0), (1, 2000, 12.0), (2, 1000, 20.0)]


def test_values_and_reasons_come_back_as_they_were(store: TimeSeriesStore) -> None:
    value = np.array([0.1, -0.0, np.nan, 12345.678901])
    reason = np.array([Reason.GOOD, Reason.CLOCK_UNSYNCED, Reason.WIRE_BREAK, Reason.GOOD], np.uint8)
    at_ms = START_MS + np.arange(4, dtype=np.int64)
    store.write(SampleBatch(np.full(4, 7, np.int32), at_ms, value, reason))
    found = store.raw([7], START_MS, START_MS + 10)
    np.testing.assert_array_equal(found.value, value)
    assert found.reason.tolist() == reason.tolist()
    types = [str(column.dtype) for column in (found.series, found.measured_at_ms, found.value, found.reason)]
    assert types == ["int32", "int64", "float64", "uint8"]


def test_the_end_of_a_span_is_not_in_it(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0), (1, 1000, 2.0), (1, 2000, 3.0)]))
    assert rows_of(store.raw([1], START_MS + 1000, START_MS + 2000)) == [(1, 1000, 2.0)]


def test_only_the_series_asked_for_come(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0), (2, 0, 2.0), (3, 0, 3.0)]))
    assert rows_of(store.raw([3, 1, 99], START_MS, START_MS + 1)) == [(1, 0, 1.0), (3, 0, 3.0)]
    assert len(store.raw([], START_MS, START_MS + 1)) == 0


def test_a_block_that_comes_again_is_skipped_as_a_whole(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0), (1, 1000, 2.0)]))
    assert store.write(one_block(1, [(1, 0, 1.0), (1, 1000, 2.0)])) == WriteResult(stored=0, repeated=2)
    both = many_blocks([(1, [(1, 0, 1.0), (1, 1000, 2.0)]), (2, [(1, 2000, 3.0)])])
    assert store.write(both) == WriteResult(stored=1, repeated=2)
    assert everything(store) == [(1, 0, 1.0), (1, 1000, 2.0), (1, 2000, 3.0)]


def test_a_block_twice_in_one_batch_is_stored_once(store: TimeSeriesStore) -> None:
    twice = many_blocks([(5, [(1, 0, 1.0)]), (5, [(1, 0, 1.0)])])
    assert store.write(twice) == WriteResult(stored=1, repeated=1)


def test_equal_numbers_of_another_outbox_or_edge_are_other_blocks(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0)]))
    assert store.write(one_block(1, [(1, 1000, 2.0)], epoch=EPOCH - 1)).stored == 1
    assert store.write(one_block(1, [(2, 0, 3.0)], edge_id=2)).stored == 1


def test_samples_without_block_numbers_are_always_taken_and_read_once(store: TimeSeriesStore) -> None:
    for _ in range(2):
        assert store.write(one_block(0, [(1, 0, 1.0)], epoch=0)).stored == 1
    assert everything(store) == [(1, 0, 1.0)]


def test_of_two_values_at_one_time_one_stays(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0)]))
    store.write(one_block(2, [(1, 0, 2.0)]))
    assert everything(store) in ([(1, 0, 1.0)], [(1, 0, 2.0)])
    store.seal(START_MS + HOUR_MS)
    assert everything(store) in ([(1, 0, 1.0)], [(1, 0, 2.0)])


def test_an_empty_block_is_held_too(store: TimeSeriesStore) -> None:
    assert store.write(one_block(3, [])) == WriteResult(stored=0, repeated=0)
    assert store.write(one_block(3, [(1, 0, 1.0)])) == WriteResult(stored=0, repeated=1)
    assert store.write(empty_samples()) == WriteResult(stored=0, repeated=0)


def test_everything_is_there_after_opening_again(opener: Opener, tmp_path: Path) -> None:
    first = opener(tmp_path)
    first.write(one_block(1, [(1, 0, 1.0), (2, 0, 5.0)]))
    first.write_means(means([(1, 0, 1.0)]), means([(1, 0, 1.5)]), first.dirty_minutes(START_MS, 10))
    first.close()
    again = opener(tmp_path)
    assert everything(again) == [(1, 0, 1.0), (2, 0, 5.0)]
    assert again.write(one_block(1, [(1, 0, 1.0)])).repeated == 1
    assert rows_of(again.latest()) == [(1, 0, 1.0), (2, 0, 5.0)]
    assert means_of(again.means(MINUTE_MS, [1], START_MS, START_MS + 1)) == [(1, 0, 1.0)]
    assert marks_of(again.dirty_minutes(START_MS + HOUR_MS, 10)) == [(1, 0), (1, 1)]
    again.close()


def test_a_closed_store_says_so(opener: Opener, tmp_path: Path) -> None:
    closed = opener(tmp_path)
    closed.close()
    with pytest.raises(StoreError, match="closed"):
        closed.write(one_block(1, [(1, 0, 1.0)]))
    with pytest.raises(StoreError, match="closed"):
        closed.raw([1], 0, 1)


def test_the_newest_sample_of_each_series_by_time_not_by_arrival(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 5000, 5.0), (2, 1000, 9.0)]))
    store.write(one_block(2, [(1, 4000, 4.0)]))
    assert rows_of(store.latest()) == [(1, 5000, 5.0), (2, 1000, 9.0)]
    assert rows_of(store.latest([2, 77])) == [(2, 1000, 9.0)]


def test_a_bad_sample_is_the_newest_too(opener: Opener, tmp_path: Path) -> None:
    first = opener(tmp_path)
    first.write(one_block(1, [(1, 0, 5.0), (1, 1000, float("nan"))]))
    first.close()
    again = opener(tmp_path)
    assert again.latest().measured_at_ms.tolist() == [START_MS + 1000]
    assert np.isnan(again.latest().value).all()
    again.close()


def test_the_newest_sample_is_known_after_its_hour_was_sealed(opener: Opener, tmp_path: Path) -> None:
    first = opener(tmp_path)
    first.write(one_block(1, [(1, 5000, 5.0)]))
    first.write(one_block(2, [(2, HOUR_MS, 6.0)]))
    first.seal(START_MS + HOUR_MS)
    first.close()
    again = opener(tmp_path)
    assert rows_of(again.latest()) == [(1, 5000, 5.0), (2, HOUR_MS, 6.0)]
    again.close()


def test_the_span_of_what_is_held_is_told(store: TimeSeriesStore) -> None:
    assert (store.status().oldest_ms, store.status().newest_ms) == (None, None)
    store.write(one_block(1, [(1, HOUR_MS, 1.0), (2, 3 * HOUR_MS, 2.0)]))
    store.write(one_block(2, [(1, 0, 1.0)]))
    assert (store.status().oldest_ms, store.status().newest_ms) == (START_MS, START_MS + 3 * HOUR_MS)


def test_late_data_of_a_sealed_hour_is_read_at_once_and_sealed_again(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0), (1, 2000, 3.0)]))
    store.seal(START_MS + HOUR_MS)
    store.write(one_block(2, [(1, 1000, 2.0), (1, 2000, 3.0)]))
    expected = [(1, 0, 1.0), (1, 1000, 2.0), (1, 2000, 3.0)]
    assert everything(store) == expected
    store.seal(START_MS + HOUR_MS)
    assert everything(store) == expected


def test_minutes_are_dirty_in_which_a_sample_lies_or_may_still_hold(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 30_000, 1.0), (1, 59_999, 1.0)], source=4))
    store.write(one_block(2, [(2, 60_000, 1.0)], source=3))
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == [(4, 0), (3, 1), (4, 1), (3, 2)]


def test_a_block_over_hours_marks_just_its_own_minutes(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0), (1, 40 * 60_000, 1.0)]))
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == [(1, 0), (1, 1), (1, 40), (1, 41)]


def test_dirty_minutes_come_oldest_first_and_only_when_they_ended(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 60_000, 1.0)]))
    store.write(one_block(2, [(1, 0, 1.0)]))
    assert marks_of(store.dirty_minutes(START_MS + 59_999, 10)) == []
    assert marks_of(store.dirty_minutes(START_MS + 60_000, 10)) == [(1, 0)]
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 2)) == [(1, 0), (1, 1)]


def test_a_minute_that_was_averaged_is_clean_until_it_is_touched_again(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0)]))
    done = store.dirty_minutes(START_MS + HOUR_MS, 10)
    store.write_means(means([(1, 0, 1.0)]), means([]), done)
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == []
    store.write(one_block(2, [(1, 500, 1.0)]))
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == [(1, 0), (1, 1)]


def test_a_minute_touched_while_it_is_averaged_stays_dirty(opener: Opener, tmp_path: Path) -> None:
    store = opener(tmp_path)
    store.write(one_block(1, [(1, 0, 1.0)]))
    done = store.dirty_minutes(START_MS + HOUR_MS, 10)
    store.write(one_block(2, [(1, 500, 2.0)]))
    store.write_means(means([(1, 0, 1.0)]), means([]), done)
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == [(1, 0), (1, 1)]
    store.close()
    again = opener(tmp_path)
    assert marks_of(again.dirty_minutes(START_MS + HOUR_MS, 10)) == [(1, 0), (1, 1)]
    again.close()


def test_minutes_handed_out_and_never_averaged_come_again(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0)]))
    first = marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10))
    assert first == [(1, 0), (1, 1)]
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == first


def test_a_repeated_block_makes_no_minute_dirty(store: TimeSeriesStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0)]))
    store.write_means(means([]), means([]), store.dirty_minutes(START_MS + HOUR_MS, 10))
    store.write(one_block(1, [(1, 0, 1.0)]))
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == []


def test_means_are_replaced_not_doubled(store: TimeSeriesStore) -> None:
    nothing = store.dirty_minutes(START_MS, 1)
    store.write_means(means([(1, 0, 1.0), (1, 60_000, 2.0), (2, 0, 3.0)]), means([(1, 0, 1.5)]), nothing)
    store.write_means(means([(1, 60_000, 2.5)]), means([(1, 0, 1.75)]), nothing)
    minutes = store.means(MINUTE_MS, [1, 2], START_MS, START_MS + HOUR_MS)
    assert means_of(minutes) == [(1, 0, 1.0), (1, 60_000, 2.5), (2, 0, 3.0)]
    assert minutes.low.tolist() == [0.0, 1.5, 2.0]
    assert (str(minutes.covered.dtype), minutes.covered.tolist()) == ("float32", [0.5] * 3)
    assert means_of(store.means(HOUR_MS, [1], START_MS, START_MS + HOUR_MS)) == [(1, 0, 1.75)]
    assert means_of(store.means(MINUTE_MS, [1], START_MS + 1, START_MS + 60_000)) == []


def test_a_mean_of_nothing_valid_is_kept_as_nan(store: TimeSeriesStore) -> None:
    nothing = store.dirty_minutes(START_MS, 1)
    store.write_means(means([(1, 0, 7.0), (2, 0, float("nan"))]), means([]), nothing)
    store.write_means(means([(1, 0, float("nan"))]), means([]), nothing)
    found = store.means(MINUTE_MS, [1, 2], START_MS, START_MS + 1)
    assert (found.series.tolist(), found.covered.tolist()) == ([1, 2], [0.0, 0.0])
    assert np.isnan([found.mean, found.low, found.high]).all()


def test_threads_may_write_seal_average_and_read_at_once(store: TimeSeriesStore) -> None:
    blocks = 60
    stop = threading.Event()

    def tidy() -> None:
        while not stop.is_set():
            store.seal(START_MS + 2 * HOUR_MS)
            done = store.dirty_minutes(START_MS + 9 * HOUR_MS, 50)
            store.write_means(means([(1, 0, 1.0)]), means([(1, 0, 1.0)]), done)

    def read() -> bool:
        found = [value for _, _, value in everything(store)]
        return found == [float(number) for number in range(1, len(found) + 1)]

    with ThreadPoolExecutor(1) as other:
        tidying = other.submit(tidy)
        try:
            for number in range(1, blocks + 1):
                store.write(one_block(number, [(1, number * 120_000, float(number))]))
                assert read()
        finally:
            stop.set()
        tidying.result()
    assert len(everything(store)) == blocks
    assert means_of(store.means(MINUTE_MS, [1], START_MS, START_MS + HOUR_MS)) == [(1, 0, 1.0)]


rows = st.tuples(st.integers(1, 3), st.integers(0, 3).map(lambda minute: minute * 1_800_000), st.just(1.0))
steps = st.lists(st.one_of(st.tuples(st.integers(1, 6), st.lists(rows, max_size=4)), st.just("seal")), max_size=8)


@settings(max_examples=25, deadline=None)
@given(steps=steps)
def test_any_order_of_blocks_repeats_and_seals_reads_as_a_plain_set(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, list[Row]] | str]
) -> None:
    reads_as_a_plain_set(EmbeddedStore(tmp_path_factory.mktemp("store")), steps)


@pytest.mark.parametrize("name", ["influx_opener", "victoria_opener"])
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_the_same_holds_on_a_server(
    name: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, list[Row]] | str],
) -> None:
    reads_as_a_plain_set(request.getfixturevalue(name)(tmp_path_factory.mktemp("store")), steps)


def reads_as_a_plain_set(store: TimeSeriesStore, steps: list[tuple[int, list[Row]] | str]) -> None:
    held: set[int] = set()
    expected: set[Row] = set()
    for step in steps:
        if isinstance(step, str):
            store.seal(START_MS + HOUR_MS)
            continue
        block, block_rows = step
        store.write(one_block(block, block_rows))
        expected |= set() if block in held else set(block_rows)
        held.add(block)
    assert everything(store) == sorted(expected)
    assert len(store.raw([9], START_MS, START_MS + HOUR_MS)) == 0
    store.close()


def test_a_batch_of_many_rows_is_one_of_many_writes(store: TimeSeriesStore) -> None:
    many = [(1 + at % 3, at, float(at)) for at in range(30_000)]
    assert store.write(one_block(1, many)).stored == 30_000
    assert len(store.raw([1, 2, 3], START_MS, START_MS + HOUR_MS)) == 30_000


def test_blocks_are_held_from_their_write_on_and_across_a_restart(opener: Opener, tmp_path: Path) -> None:
    store = opener(tmp_path / "store")
    assert store.held(1, EPOCH) == []
    store.write(many_blocks([(3, [(1, 0, 1.0)]), (4, [(1, 1, 1.0)]), (9, [(1, 2, 1.0)])]))
    store.write(one_block(3, [(1, 9, 1.0)], edge_id=2))
    assert (store.held(1, EPOCH), store.held(2, EPOCH), store.held(1, 5)) == ([(3, 4), (9, 9)], [(3, 3)], [])
    store.close()
    again = opener(tmp_path / "store")
    assert again.held(1, EPOCH) == [(3, 4), (9, 9)]
    again.close()


def test_blocks_that_will_never_come_can_be_held_and_are_then_repeats(opener: Opener, tmp_path: Path) -> None:
    store = opener(tmp_path / "store")
    store.write(one_block(1, [(1, 0, 1.0)]))
    store.hold(1, EPOCH, [(2, 5), (8, 8)])
    assert store.held(1, EPOCH) == [(1, 5), (8, 8)]
    store.close()
    again = opener(tmp_path / "store")
    assert again.write(one_block(4, [(1, 7, 1.0)])) == WriteResult(stored=0, repeated=1)
    assert again.held(1, EPOCH) == [(1, 5), (8, 8)]
    again.close()


def test_how_long_a_write_may_still_be_lost_is_said(store: TimeSeriesStore) -> None:
    assert store.hold_s >= 0


def test_samples_are_counted_by_hour_sealed_or_not_and_repeats_once(store: TimeSeriesStore) -> None:
    first = [(1, 0, 1.0), (1, HOUR_MS - 1, 2.0), (1, HOUR_MS, 3.0), (2, 0, 4.0), (3, 0, 5.0)]
    store.write(one_block(1, first))
    store.seal(START_MS + HOUR_MS)
    store.write(one_block(2, [(1, 0, 9.0), (1, 7, 9.0)]))
    bad = one_block(3, [(2, 5, float("nan"))])
    store.write(msgspec.structs.replace(bad, reason=np.array([Reason.TIMEOUT], np.uint8)))
    tally = store.tally([1, 2], START_MS, START_MS + 2 * HOUR_MS)
    rows = zip(tally.series, tally.start_ms - START_MS, tally.samples, tally.bad, tally.late, strict=True)
    assert list(rows) == [(1, 0, 3, 0, 0), (1, HOUR_MS, 1, 0, 0), (2, 0, 2, 1, 0)]
    assert len(store.tally([1], START_MS + HOUR_MS, START_MS + HOUR_MS)) == 0
