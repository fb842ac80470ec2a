import numpy as np

from ingest_service.store.victoria.revisions import Revisions
from tests.ingest_service.store.batches import START_MS, means

MINUTE_MS = 60_000
NOTHING = np.empty(0, np.int32), np.empty(0, np.int64)


def test_the_first_mean_of_a_period_stands_at_its_start_and_each_further_one_a_millisecond_later() -> None:
    revisions, batch = Revisions(), means([(1, 0, 5.0), (2, 0, 5.0)])
    for expected in (0, 1, 2):
        assert (revisions.times(batch, MINUTE_MS, *NOTHING, 0.0) - START_MS).tolist() == [expected, expected]


def test_what_the_server_holds_counts_after_a_restart() -> None:
    held = np.array([1, 1], np.int32), np.array([START_MS, START_MS + 7], np.int64)
    assert (Revisions().times(means([(1, 0, 5.0), (2, 0, 1.0)]), MINUTE_MS, *held, 0.0) - START_MS).tolist() == [8, 0]


def test_what_was_written_long_ago_is_left_to_the_server() -> None:
    revisions, batch = Revisions(), means([(1, 0, 5.0)])
    revisions.times(batch, MINUTE_MS, *NOTHING, 0.0)
    assert (revisions.times(batch, MINUTE_MS, *NOTHING, 1000.0) - START_MS).tolist() == [0]


def test_a_revision_never_leaves_its_period() -> None:
    held = np.array([1], np.int32), np.array([START_MS + MINUTE_MS - 1], np.int64)
    assert (Revisions().times(means([(1, 0, 5.0)]), MINUTE_MS, *held, 0.0) - START_MS).tolist() == [MINUTE_MS - 1]
