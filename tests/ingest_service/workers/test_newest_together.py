"""Samples that are read for many furnaces at once are those that the store has of each."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_service.store.batch import SampleBatch
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.workers.newest_together import NewestTogether
from tests.ingest_service.store.batches import START_MS, one_block, rows_of

ENDS = 300


class Counted:
    """The store, and what it was asked for."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store
        self.asked: list[tuple[list[int], int, int]] = []

    def raw(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        self.asked.append(([*series], from_ms - START_MS, to_ms - START_MS))
        return self.store.raw(series, from_ms, to_ms)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """Six series, each with a sample every seventh millisecond or so."""
    folder: Path = tmp_path_factory.mktemp("store")
    store = EmbeddedStore(folder)
    store.write(one_block(1, [(series, at, series + at / 1000) for at in range(ENDS) for series in range(1, 7)
                              if (at + series) % 7 == 0]))  # fmt: skip
    yield store
    store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    series=st.sets(st.integers(1, 6)),
    span=st.tuples(st.integers(-5, ENDS + 5), st.integers(-5, ENDS + 5)),
    since=st.integers(-5, ENDS),
)
def test_they_are_the_same_as_if_each_was_asked_for(
    store: EmbeddedStore, series: set[int], span: tuple[int, int], since: int
) -> None:
    from_ms, to_ms = (START_MS + at for at in sorted(span))
    together = NewestTogether(store, range(1, 7), START_MS + since, START_MS + ENDS)
    for asked in (sorted(series), [4]):
        assert rows_of(together.raw(asked, from_ms, to_ms)) == rows_of(store.raw(asked, from_ms, to_ms))


def test_the_newest_are_read_once_and_what_came_before_for_each(store: EmbeddedStore) -> None:
    counted = Counted(store)
    together = NewestTogether(counted, [1, 2, 3], START_MS + 200, START_MS + ENDS)
    for series in (1, 2):
        together.raw([series], START_MS + 100, START_MS + 250)
    assert counted.asked == [([1, 2, 3], 200, ENDS), ([1], 100, 200), ([2], 100, 200)]


def test_where_none_of_the_newest_are_asked_for_none_are_read(store: EmbeddedStore) -> None:
    counted = Counted(store)
    NewestTogether(counted, [1, 2, 3], START_MS + 200, START_MS + ENDS).raw([1], START_MS, START_MS + 200)
    assert counted.asked == [([1], 0, 200)]
