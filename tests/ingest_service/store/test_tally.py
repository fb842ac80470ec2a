from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.sample import FIRST_BAD, Reason
from ingest_service.store.batch import SampleBatch
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.tally import LATE_MS, late_of, tally_of
from tests.ingest_service.store.batches import START_MS, Row, one_block

ROWS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 3 * HOUR_MS), st.sampled_from([Reason.GOOD, Reason.WIRE_BREAK])),
    max_size=40,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path)
    yield store
    store.close()


def received(block: int, rows: list[Row], after_ms: int) -> SampleBatch:
    return msgspec.structs.replace(one_block(block, rows), received_ms=START_MS + after_ms)


def late(store: EmbeddedStore, hours: int = 2) -> list[tuple[int, int, int]]:
    tally = store.tally([1, 2], START_MS, START_MS + hours * HOUR_MS)
    columns = (tally.series.tolist(), ((tally.start_ms - START_MS) // HOUR_MS).tolist(), tally.late.tolist())
    return list(zip(*columns, strict=True))


@given(ROWS)
def test_counts_equal_those_of_a_plain_count(rows: list[tuple[int, int, Reason]]) -> None:
    series, after_ms, reason = zip(*rows, strict=True) if rows else ((), (), ())
    at_ms = np.array(after_ms, np.int64) + START_MS
    batch = SampleBatch(np.array(series, np.int32), at_ms, np.zeros(len(rows)), np.array(reason, np.uint8))
    tally = tally_of(batch)
    counted = Counter((one, after // HOUR_MS) for one, after, _ in rows)
    bad = Counter((one, after // HOUR_MS) for one, after, why in rows if why >= FIRST_BAD)
    keys = list(zip(tally.series.tolist(), ((tally.start_ms - START_MS) // HOUR_MS).tolist(), strict=True))
    assert keys == sorted(counted)
    assert tally.samples.tolist() == [counted[key] for key in keys]
    assert tally.bad.tolist() == [bad[key] for key in keys]


@pytest.mark.parametrize(
    ("after_ms", "count"),
    [
        pytest.param(LATE_MS, 0, id="a minute is not late"),
        pytest.param(LATE_MS + 1, 1, id="more than a minute is"),
        pytest.param(-5_000, 0, id="before it was measured is not"),
    ],
)
def test_a_sample_that_comes_after(after_ms: int, count: int) -> None:
    assert late_of(received(1, [(1, 0, 1.0)], after_ms)).late.sum() == count


def test_a_batch_that_does_not_say_when_it_came_has_nothing_late() -> None:
    assert len(late_of(one_block(1, [(1, 0, 1.0)]))) == 0


def test_what_comes_late_is_counted_with_the_hour_in_which_it_was_measured(store: EmbeddedStore) -> None:
    store.write(received(1, [(1, 0, 1.0), (1, 1000, 1.0), (1, HOUR_MS, 1.0), (2, HOUR_MS, 1.0)], HOUR_MS + 30_000))
    store.write(received(2, [(1, 2000, 1.0)], 2 * HOUR_MS))
    assert late(store) == [(1, 0, 3), (1, 1, 0), (2, 1, 0)]


def test_a_repeated_block_is_not_counted_late_again(store: EmbeddedStore) -> None:
    for _ in range(2):
        store.write(received(1, [(1, 0, 1.0)], HOUR_MS))
    assert late(store) == [(1, 0, 1)]


def test_late_counts_outlast_sealing_and_a_restart(store: EmbeddedStore, tmp_path: Path) -> None:
    for block in range(1, 4):
        store.write(received(block, [(1, block, 1.0)], HOUR_MS))
    store.seal(START_MS + HOUR_MS)
    store.close()
    again = EmbeddedStore(tmp_path)
    assert late(again) == [(1, 0, 3)]
    again.write(received(9, [(1, 9, 1.0)], HOUR_MS))
    assert late(again) == [(1, 0, 4)]
    again.close()
