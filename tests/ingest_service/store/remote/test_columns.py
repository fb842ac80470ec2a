from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.store.batch import MeanBatch
from ingest_service.store.remote.columns import (
    Collected,
    joined_means,
    means_of,
    newest_of,
    samples_of,
    tally_of_counts,
)
from ingest_service.store.tally import tally_of
from tests.ingest_service.store.batches import HOUR_MS, START_MS, Row, means, rows_of
from tests.ingest_service.store.batches import means_of as rows_of_means

MINUTE_MS = 60_000


def collected(rows: Sequence[Row]) -> Collected:
    found = Collected()
    for series in sorted({row[0] for row in rows}):
        own = [row for row in rows if row[0] == series]
        found.add(series, [START_MS + row[1] for row in own], [row[2] for row in own])
    return found


def test_values_and_reasons_meet_at_their_series_and_time() -> None:
    found = samples_of(collected([(2, 5, 9.0), (1, 0, 1.0)]), collected([(1, 0, 1.0), (1, 7, 36.0)]))
    assert rows_of(found)[:1] == [(1, 0, 1.0)]
    assert (found.series.tolist(), found.reason.tolist()) == ([1, 1, 2], [1, 36, 0])
    assert np.isnan(found.value[1])
    assert rows_of(newest_of(found))[1:] == [(2, 5, 9.0)]


def test_nothing_is_nothing() -> None:
    assert len(samples_of(Collected(), Collected())) == 0
    assert len(means_of([Collected()] * 4, MINUTE_MS)) == 0
    assert len(tally_of_counts(Collected(), Collected())) == 0


rows = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 3).map(lambda at: at * 1_800_000), st.sampled_from([0, 1, 36])),
    unique_by=lambda row: row[:2],
)


@given(rows)
def test_counts_of_a_server_are_the_counts_of_its_samples(given_rows: list[tuple[int, int, int]]) -> None:
    values = collected([(series, at, 5.0) for series, at, code in given_rows if code < 32])
    reasons = collected([(series, at, float(code)) for series, at, code in given_rows if code])
    batch = samples_of(values, reasons)
    hours: dict[tuple[int, int], float] = {}
    for series, at, code in given_rows:
        key = (series, at // HOUR_MS * HOUR_MS)
        hours[key] = hours.get(key, 0.0) + (code < 32)
    counts = collected([(series, at, count) for (series, at), count in hours.items()])
    found, expected = tally_of_counts(counts, reasons), tally_of(batch)
    for name in ("series", "start_ms", "samples", "bad"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def test_of_means_written_one_after_the_other_the_last_counts_whole() -> None:
    older, newer = [(1, 0, 5.0)], [(1, 1, 7.0), (1, MINUTE_MS, 3.0)]
    parts = [
        collected(older + newer),
        collected(older),
        collected(newer),
        collected([(1, 0, 1.0), (1, 1, 0.5), (1, MINUTE_MS, 0.0)]),
    ]
    found = means_of(parts, MINUTE_MS)
    assert (found.start_ms - START_MS).tolist() == [0, MINUTE_MS]
    np.testing.assert_array_equal(found.mean, [7.0, np.nan])
    np.testing.assert_array_equal(found.low, [np.nan, np.nan])
    assert found.covered.tolist() == [0.5, 0.0]


mean_rows = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([0, 60_000]), st.floats(0, 9)), unique_by=lambda r: r[:2]
)


@given(mean_rows, mean_rows)
def test_later_means_replace_earlier_ones(earlier: list[Row], later: list[Row]) -> None:
    found: MeanBatch = joined_means(means(earlier), means(later))
    expected = {row[:2]: row for row in earlier} | {row[:2]: row for row in later}
    assert rows_of_means(found) == sorted(expected.values())
