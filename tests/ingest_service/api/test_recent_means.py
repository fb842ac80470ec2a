"""The panels of a dashboard ask together, and the store is asked once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest_service.api.grafana_series import RecentMeans
from ingest_service.store.batch import MeanBatch
from ingest_service.store.embedded.store import EmbeddedStore

HOUR_MS, MINUTE_MS = 3_600_000, 60_000


class Counting(EmbeddedStore):
    """Counts how often it is asked."""

    asked = 0

    def means(self, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        self.asked += 1
        return super().means(period_ms, series, from_ms, to_ms)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Counting]:
    opened = Counting(tmp_path)
    yield opened
    opened.close()


def test_many_who_ask_the_same_at_once_are_answered_by_one_reading(store: Counting) -> None:
    recent = RecentMeans(store)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: recent.means(MINUTE_MS, [1, 2], 0, HOUR_MS), range(20)))
    assert store.asked == 1
    assert all(one is found[0] for one in found)


@pytest.mark.parametrize(
    ("series", "to_ms"), [([1, 3], HOUR_MS), ([1, 2], 2 * HOUR_MS)], ids=["other series", "another time"]
)
def test_another_question_is_another_reading(store: Counting, series: list[int], to_ms: int) -> None:
    recent = RecentMeans(store)
    recent.means(MINUTE_MS, [1, 2], 0, HOUR_MS)
    recent.means(MINUTE_MS, series, 0, to_ms)
    assert store.asked == 2


def test_what_was_read_is_forgotten_before_a_dashboard_asks_again(store: Counting) -> None:
    now_s = [100.0]
    recent = RecentMeans(store, lambda: now_s[0])
    for passed_s in (0.0, 4.9, 5.1):
        now_s[0] = 100.0 + passed_s
        recent.means(MINUTE_MS, [1], 0, HOUR_MS)
    assert store.asked == 2


def test_an_answer_that_would_fill_the_memory_is_not_kept(store: Counting) -> None:
    recent = RecentMeans(store)
    for _ in range(2):
        recent.means(MINUTE_MS, list(range(40)), 0, 365 * 24 * HOUR_MS)
    assert store.asked == 2
