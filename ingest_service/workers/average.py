"""Computes minute and hour means of what came in, and says which hours of which furnace they touch."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.emissions.averaging import hold_ms, hour_means, minute_means
from ingest_service.emissions.columns import MeanColumns, Means
from ingest_service.store.batch import DirtyMinutes, MeanBatch
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import HOUR_MS, MINUTE_MS, TimeSeriesStore
from ingest_service.workers.loop import run_every

GRACE_MS = 5_000  # after the end of a minute, for samples that are on their way
INTERVAL_S = 2.0
MARKS_AT_ONCE = 100_000  # a bound on memory; marks come in whole hours below it
_MINUTES = HOUR_MS // MINUTE_MS


class FurnaceHour(msgspec.Struct, frozen=True):
    """One clock hour of one furnace."""

    furnace_id: int
    start_ms: int


Touched = Callable[[Sequence[FurnaceHour], int], None]


class AverageWorker:
    """Turns dirty minutes into means. `touched` hears of the hours before their marks are cleared.

    So a crash between the two makes the same work be done again, never left out.
    """

    def __init__(
        self, store: TimeSeriesStore, channels: Callable[[], Channels], touched: Touched, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._channels = channels
        self._touched = touched
        self._clock = clock
        self._later = _no_marks()  # minutes into which values hold, but which had not ended yet

    def step(self, now_ms: int) -> int:
        """Average what is dirty and has ended; return the number of (source, minute) marks cleared."""
        before_ms = now_ms - GRACE_MS
        dirty = self._store.dirty_minutes(before_ms, MARKS_AT_ONCE)
        done = _whole_hours(dirty, MARKS_AT_ONCE)
        if not len(done) and not len(self._later):
            return 0
        channels = self._channels()
        marks = _merged(_held_into(done, channels), self._later)
        ended = (marks.minute + 1) * MINUTE_MS <= before_ms
        for hour in np.unique(marks.minute[ended] // _MINUTES).tolist():
            chosen = ended & (marks.minute // _MINUTES == hour)
            self._average(_where(marks, chosen), channels, now_ms)
        self._later = _where(marks, ~ended)
        if len(done):
            self._store.write_means(_no_means(), _no_means(), done)
        return len(done)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("average", INTERVAL_S, self.step, self._clock, stop)

    def _average(self, marks: DirtyMinutes, channels: Channels, now_ms: int) -> None:
        """Means of one hour: of every series of the marked sources, from the first marked minute to the last."""
        at = np.flatnonzero(np.isin(channels.source, marks.source))
        if not len(at):
            return
        series = channels.series[at]
        holds = np.array([hold_ms(channels.rows[row].period_s) for row in at], np.int64)
        from_ms, to_ms = int(marks.minute.min()) * MINUTE_MS, (int(marks.minute.max()) + 1) * MINUTE_MS
        samples = self._store.raw(series.tolist(), from_ms - int(holds.max()), to_ms)
        minutes = minute_means(samples, series, holds, from_ms, to_ms)
        hour_ms = from_ms // HOUR_MS * HOUR_MS
        standing = self._store.means(MINUTE_MS, series.tolist(), hour_ms, hour_ms + HOUR_MS)
        if not len(standing) and not minutes.covered.any():
            return  # a mark that no value reaches
        hours = hour_means(_replaced(standing, minutes, from_ms, to_ms))
        self._store.write_means(_batch(minutes), _batch(hours), _no_marks())
        furnaces = np.unique(channels.furnace[at])
        touched = [FurnaceHour(int(furnace), hour_ms) for furnace in furnaces if furnace != NO_ID]
        self._touched(touched, now_ms)


def _whole_hours(marks: DirtyMinutes, limit: int) -> DirtyMinutes:
    """The marks without their last hour where there may be more of it than fitted; all where it is the only one."""
    hour = marks.minute // _MINUTES
    if len(marks) < limit or hour[0] == hour[-1]:
        return marks
    return _where(marks, hour < hour[-1])


def _merged(left: DirtyMinutes, right: DirtyMinutes) -> DirtyMinutes:
    source = np.concatenate([left.source, right.source])
    return _distinct(source, np.concatenate([left.minute, right.minute]))


def _held_into(marks: DirtyMinutes, channels: Channels) -> DirtyMinutes:
    """The marks, and the minutes after them into which a value of that source may still hold."""
    parts = [marks]
    longest_s = max((row.period_s or 0.0 for row in channels.rows), default=0.0)
    for step in range(1, -(-hold_ms(longest_s or None) // MINUTE_MS) + 1):
        reaching = [row.source_id for row in channels.rows if hold_ms(row.period_s) > (step - 1) * MINUTE_MS]
        chosen = np.isin(marks.source, reaching)
        parts.append(DirtyMinutes(marks.source[chosen], marks.minute[chosen] + step))
    return _distinct(np.concatenate([part.source for part in parts]), np.concatenate([part.minute for part in parts]))


def _distinct(source: NDArray[np.int32], minute: NDArray[np.int64]) -> DirtyMinutes:
    keys = np.unique((minute << 32) | source)
    return DirtyMinutes((keys & 0xFFFFFFFF).astype(np.int32), keys >> 32)


def _where(marks: DirtyMinutes, chosen: NDArray[np.bool_]) -> DirtyMinutes:
    return DirtyMinutes(marks.source[chosen], marks.minute[chosen])


def _replaced(standing: MeanColumns, fresh: Means, from_ms: int, to_ms: int) -> Means:
    """Standing minutes with those of `[from_ms, to_ms)` replaced by fresh ones."""
    kept = (standing.start_ms < from_ms) | (standing.start_ms >= to_ms)
    columns = [
        np.concatenate([getattr(standing, name)[kept], getattr(fresh, name)]) for name in Means.__struct_fields__
    ]
    return Means(*columns)


def _batch(means: Means) -> MeanBatch:
    return MeanBatch(means.series, means.start_ms, means.mean, means.low, means.high, means.covered)


def _no_marks() -> DirtyMinutes:
    return DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))


def _no_means() -> MeanBatch:
    nothing = np.empty(0, np.float64)
    return MeanBatch(np.empty(0, np.int32), np.empty(0, np.int64), nothing, nothing, nothing, np.empty(0, np.float32))
