import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.sample import Reason
from ingest_service.store.batch import SampleBatch
from ingest_service.store.live import LiveTable

Rows = list[tuple[int, int, float]]


def batch(rows: Rows) -> SampleBatch:
    series, at_ms, value = zip(*rows, strict=True) if rows else ((), (), ())
    return SampleBatch(
        np.array(series, np.int32),
        np.array(at_ms, np.int64),
        np.array(value, np.float64),
        np.zeros(len(rows), np.uint8),
    )


def shown(table: LiveTable) -> dict[int, tuple[int, float]]:
    rows = table.rows()
    return {int(s): (int(t), float(v)) for s, t, v in zip(rows.series, rows.measured_at_ms, rows.value, strict=True)}


def test_an_older_sample_does_not_replace_a_newer_one() -> None:
    table = LiveTable()
    table.update(batch([(5, 2000, 1.0), (6, 1000, 2.0)]), 2100)
    table.update(batch([(5, 1500, 9.0), (6, 1500, 3.0)]), 2200)
    assert shown(table) == {5: (2000, 1.0), 6: (1500, 3.0)}
    assert table.rows([6]).received_at_ms.tolist() == [2200]


def test_a_sample_from_the_future_gives_way_as_soon_as_the_clock_of_its_edge_is_set_right() -> None:
    table = LiveTable()
    table.load(batch([(5, 700_000, 1.0), (6, 700_000, 1.5), (7, 90_000, 7.0)]))
    table.update(batch([(5, 710_000, 2.0)]), 100_000)
    assert shown(table)[5] == (710_000, 2.0)
    table.update(batch([(5, 100_500, 3.0), (7, 80_000, 8.0)]), 101_000)
    assert shown(table) == {5: (100_500, 3.0), 6: (700_000, 1.5), 7: (90_000, 7.0)}


def test_a_clock_that_is_little_ahead_is_no_reason_to_go_back() -> None:
    table = LiveTable()
    table.update(batch([(5, 104_000, 1.0)]), 100_000)
    table.update(batch([(5, 103_000, 9.0)]), 100_100)
    assert shown(table) == {5: (104_000, 1.0)}


def test_the_newest_of_one_batch_wins_whatever_its_order() -> None:
    table = LiveTable()
    table.update(batch([(1, 3000, 3.0), (1, 1000, 1.0), (1, 2000, 2.0)]), 0)
    assert shown(table) == {1: (3000, 3.0)}


def test_a_dead_source_keeps_its_values_but_they_are_stale_until_it_speaks_again() -> None:
    table = LiveTable()
    table.update(batch([(1, 1000, 1.0), (2, 1000, 2.0)]), 1000)
    table.mark_stale(np.array([1], np.int32))
    assert table.rows([1, 2]).reason.tolist() == [Reason.STALE, Reason.GOOD]
    assert table.rows([1]).value.tolist() == [1.0]
    table.update(batch([(1, 1000, 1.0)]), 2000)
    assert table.rows([1]).reason.tolist() == [Reason.GOOD]


def test_a_reader_learns_just_what_changed_since_it_last_looked() -> None:
    table = LiveTable()
    table.update(batch([(1, 1000, 1.0), (2, 1000, 2.0)]), 1000)
    seen = table.version
    table.update(batch([(2, 2000, 2.5)]), 2000)
    assert table.version > seen
    assert table.changed_since(seen).series.tolist() == [2]
    assert table.changed_since(seen, [1]).series.tolist() == []
    assert table.changed_since(table.version).series.tolist() == []


def test_unknown_series_are_left_out() -> None:
    table = LiveTable()
    table.update(batch([(3, 1000, 1.0)]), 1000)
    assert table.rows([2, 3, 4_000_000, -1]).series.tolist() == [3]


def test_it_grows_to_any_series_id() -> None:
    table = LiveTable()
    table.update(batch([(1, 1000, 1.0)]), 1000)
    table.update(batch([(300_000, 1000, 7.0)]), 1000)
    table.mark_stale(np.array([900_000], np.int32))
    assert shown(table) == {1: (1000, 1.0), 300_000: (1000, 7.0)}


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9).map(float)), max_size=8)))
def test_it_agrees_with_a_plain_dictionary(batches: list[Rows]) -> None:
    table, expected = LiveTable(), dict[int, tuple[int, float]]()
    for rows in batches:
        table.update(batch(rows), 0)
        for series, at_ms, value in sorted(rows, key=lambda row: row[1]):
            if at_ms >= expected.get(series, (0, 0.0))[0]:
                expected[series] = (at_ms, value)
    assert shown(table) == expected
