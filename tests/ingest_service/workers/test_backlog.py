from edge_agent.wire.durations import HOUR_MS
from ingest_service.workers.average import FurnaceHour
from ingest_service.workers.backlog import SETTLE_AT_MOST_MS, SETTLE_MS, Backlog

HOUR = FurnaceHour(1, 10 * HOUR_MS)
ENDED_MS = 12 * HOUR_MS


def test_a_touched_hour_is_due_once_nothing_more_comes() -> None:
    backlog = Backlog()
    backlog.touch([HOUR], ENDED_MS)
    backlog.touch([HOUR], ENDED_MS + 6_000)
    assert backlog.take_due(ENDED_MS + SETTLE_MS) == []
    assert backlog.take_due(ENDED_MS + 6_000 + SETTLE_MS) == [HOUR]
    assert backlog.take_due(ENDED_MS + HOUR_MS) == []


def test_a_trickle_cannot_put_an_hour_off_for_ever() -> None:
    backlog = Backlog()
    for after_ms in range(0, SETTLE_AT_MOST_MS, SETTLE_MS // 2):
        assert backlog.take_due(ENDED_MS + after_ms) == []
        backlog.touch([HOUR], ENDED_MS + after_ms)
    assert backlog.take_due(ENDED_MS + SETTLE_AT_MOST_MS) == [HOUR]


def test_an_hour_that_has_not_ended_does_not_wait() -> None:
    backlog = Backlog()
    backlog.touch([HOUR], HOUR.start_ms + HOUR_MS - 1)
    assert len(backlog) == 0


def test_a_planned_hour_that_is_touched_is_due_when_it_has_settled() -> None:
    backlog = Backlog()
    backlog.plan([HOUR], ENDED_MS + 30_000)
    backlog.touch([HOUR], ENDED_MS + 6_000)
    backlog.plan([HOUR], ENDED_MS + 90_000)
    assert backlog.take_due(ENDED_MS + 6_000 + SETTLE_MS) == [HOUR]
    assert len(backlog) == 0


def test_hours_are_handed_out_oldest_first() -> None:
    hours = [FurnaceHour(furnace, hour * HOUR_MS) for hour in (3, 1, 2) for furnace in (2, 1)]
    backlog = Backlog()
    backlog.plan(hours, 0)
    assert [(hour.start_ms // HOUR_MS, hour.furnace_id) for hour in backlog.take_due(0)] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 2),
    ]
