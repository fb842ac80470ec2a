"""What a service that has just started may have missed: hours that were over, or touched, while it was away."""

from collections.abc import Iterable

from edge_agent.wire.durations import HOUR_MS
from ingest_service.store.channels import Channels
from ingest_service.store.judgements import JudgementStore
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.average import FurnaceHour

RECHECK_MS = 48 * HOUR_MS  # these hours are judged again: what has not changed is not written again
CATCH_UP_MS = 31 * 24 * HOUR_MS  # of these, hours that have means but were never judged


def missed_hours(
    store: TimeSeriesStore, judgements: JudgementStore, channels: Channels, hour_ms: int
) -> list[FurnaceHour]:
    """Hours before `hour_ms` with means that are recent, or were never judged."""
    first = {int(furnace): int(channels.of_furnace(int(furnace)).series_id) for furnace in channels.furnaces}
    furnace_of = {series: furnace for furnace, series in first.items()}
    from_ms = hour_ms - CATCH_UP_MS
    means = store.means(HOUR_MS, list(furnace_of), from_ms, hour_ms)
    columns = zip(means.series.tolist(), means.start_ms.tolist(), strict=True)
    hours = [FurnaceHour(furnace_of[series], start_ms) for series, start_ms in columns]
    judged = {FurnaceHour(hour.furnace_id, hour.start_ms) for hour in judgements.judged_hours(from_ms)}
    return [hour for hour in hours if hour.start_ms >= hour_ms - RECHECK_MS or hour not in judged]


def gaps(judgements: JudgementStore, channels: Channels, hour_ms: int) -> list[FurnaceHour]:
    """Hours before `hour_ms` since the last judged one of each furnace."""
    known = set(channels.furnaces.tolist())
    last = {hour.furnace_id: hour.start_ms for hour in judgements.last_hours() if hour.furnace_id in known}
    return [
        FurnaceHour(furnace, start_ms)
        for furnace, judged_ms in last.items()
        for start_ms in range(max(judged_ms + HOUR_MS, hour_ms - CATCH_UP_MS), hour_ms, HOUR_MS)
    ]


def still_measured(hours: Iterable[FurnaceHour], channels: Channels) -> list[FurnaceHour]:
    """Those of furnaces that have a channel: one whose devices call it something else by now has none any more."""
    known = set(channels.furnaces.tolist())
    return [hour for hour in hours if hour.furnace_id in known]
