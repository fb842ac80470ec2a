"""Computes minute and hour means of what came in, and says which hours of which furnace they touch."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import SampleColumns
from ingest_service.emissions.averaging import holds_ms, hour_means, minute_means
from ingest_service.emissions.columns import MeanColumns, Means
from ingest_service.emissions.minute_tally import MinuteTally
from ingest_service.errors import HoursUnreadable
from ingest_service.store.batch import DirtyMinutes, MeanBatch, empty_means, no_minutes
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.due_hours import DueHours
from ingest_service.workers.loop import run_every
from ingest_service.workers.unreadable import UnreadableHours

GRACE_MS = 5_000  # after the end of a minute, for samples that are on their way
INTERVAL_S = 2.0
MARKS_AT_ONCE = 100_000  # a bound on memory; marks come in whole hours below it
_MINUTES = HOUR_MS // MINUTE_MS
_MARKS_A_PART = 1_000  # source minutes: of 40 series at 1 Hz some 100 MB, with the hold before them
_MINUTES_AT_ONCE = 15
_SOURCES_AT_ONCE = 500  # whose minutes of an hour are read at once


class FurnaceHour(msgspec.Struct, frozen=True):
    """One clock hour of one furnace."""

    furnace_id: int
    start_ms: int


Touched = Callable[[Sequence[FurnaceHour], int], None]


def telling(*listeners: Touched) -> Touched:
    """What tells each of them, in order."""

    def tell(hours: Sequence[FurnaceHour], now_ms: int) -> None:
        for listener in listeners:
            listener(hours, now_ms)

    return tell


class AverageWorker:
    """Turns dirty minutes into means. `touched` hears of the hours before their marks are cleared.

    So a crash between the two makes the same work be done again, never left out. What `tally` has added up need not be
    read; of hours whose minutes came that way the means follow within `HOURS_EVERY_MS` and after their end. An hour
    whose file is damaged keeps its marks and holds up no other.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        channels: Callable[[], Channels],
        touched: Touched,
        clock: Callable[[], int],
        tally: MinuteTally | None = None,
    ) -> None:
        self._store = store
        self._channels = channels
        self._touched = touched
        self._clock = clock
        self._tally = tally
        self._taught = Channels(())
        self._left_off_ms = int(store.latest().measured_at_ms.max(initial=0)) if tally is not None else 0
        self._later = no_minutes()  # minutes into which values hold, but which had not ended yet
        self._hours = DueHours()
        self._unreadable = UnreadableHours()

    def step(self, now_ms: int) -> int:
        """Average what is dirty and has ended; return the number of (source, minute) marks cleared."""
        before_ms = now_ms - GRACE_MS
        dirty = self._store.dirty_minutes(before_ms, MARKS_AT_ONCE, self._unreadable.left_out(now_ms))
        done = _whole_hours(dirty, MARKS_AT_ONCE)
        channels = self._channels()
        self._teach(channels, now_ms)
        if len(done) or len(self._later):
            marks = _merged(_held_into(done, channels), self._later)
            failed = self._average_all(marks, before_ms, channels, now_ms)
            done = _where(done, ~np.isin(done.minute // _MINUTES, failed))
        for hour, sources in self._hours.take_due(before_ms):
            self._average_minutes(hour, sources, channels)
        if len(done):
            self._store.write_means(empty_means(), empty_means(), done)
        return len(done)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("average", INTERVAL_S, self.step, self._clock, stop)

    def _teach(self, channels: Channels, now_ms: int) -> None:
        """Tell the tally how long values hold. At the start, hours may lack what an earlier process added up."""
        if self._tally is None or channels is self._taught:
            return
        if not len(self._taught):
            for hour in {at_ms // HOUR_MS - back for at_ms in (self._left_off_ms, now_ms) for back in (0, 1)}:
                self._hours.add(hour, np.unique(channels.source))
        self._tally.learn(channels.series, holds_ms(channels.period_s))
        self._taught = channels

    def _average_all(self, marks: DirtyMinutes, before_ms: int, channels: Channels, now_ms: int) -> list[int]:
        """Means of every marked minute that has ended; return the hours that could not be read."""
        hours, failed = marks.minute // _MINUTES, []
        due = (marks.minute + 1) * MINUTE_MS <= before_ms
        due &= ~np.isin(hours, list(self._unreadable.left_out(now_ms)))
        for hour in np.unique(hours[due]).tolist():
            try:
                self._average_hour(_where(marks, due & (hours == hour)), channels, now_ms)
            except HoursUnreadable as error:
                self._unreadable.failed(hour, error, now_ms)
                failed.append(hour)
        averaged = due & ~np.isin(hours, failed)
        self._unreadable.read(np.unique(hours[averaged]).tolist())
        self._later = _where(marks, ~averaged)
        return failed

    def _average_hour(self, marks: DirtyMinutes, channels: Channels, now_ms: int) -> None:
        """Means of marked minutes of one hour."""
        rest = marks if self._tally is None else self._add_up(self._tally, marks, channels, now_ms)
        for part in _parts(rest):
            self._average(part, channels, now_ms)

    def _add_up(self, tally: MinuteTally, marks: DirtyMinutes, channels: Channels, now_ms: int) -> DirtyMinutes:
        """Write what the tally knows; return the marks of which it does not."""
        left = np.zeros(len(marks), np.bool_)
        for minute in np.unique(marks.minute).tolist():
            sources = marks.source[marks.minute == minute]
            at = np.flatnonzero(np.isin(channels.source, sources))
            found = tally.minute(minute, channels.series[at])
            unknown = np.unique(channels.source[at[~found.exact]])
            left |= (marks.minute == minute) & np.isin(marks.source, unknown)
            known = ~np.isin(channels.source[at], unknown)
            if known.any():
                self._store.write_means(_batch(_rows_of(found.means, known)), empty_means(), no_minutes())
                self._hours.add(minute // _MINUTES, np.unique(channels.source[at[known]]))
                self._tell(channels, at[known], minute // _MINUTES * HOUR_MS, now_ms)
        return _where(marks, left)

    def _average(self, marks: DirtyMinutes, channels: Channels, now_ms: int) -> None:
        """Means of one hour: of every series of the marked sources, from the first marked minute to the last."""
        at = np.flatnonzero(np.isin(channels.source, marks.source))
        if not len(at):
            return
        series, holds = channels.series[at], holds_ms(channels.period_s[at])
        from_ms, to_ms = int(marks.minute.min()) * MINUTE_MS, (int(marks.minute.max()) + 1) * MINUTE_MS
        samples = self._samples(series, from_ms - int(holds.max()), from_ms, to_ms)
        minutes = minute_means(samples, series, holds, from_ms, to_ms)
        hour_ms = from_ms // HOUR_MS * HOUR_MS
        standing = self._store.means(MINUTE_MS, series.tolist(), hour_ms, hour_ms + HOUR_MS)
        if not len(standing) and not minutes.covered.any():
            return  # a mark that no value reaches
        hours = hour_means(_replaced(standing, minutes, from_ms, to_ms))
        self._store.write_means(_batch(minutes), _batch(hours), no_minutes())
        self._tell(channels, at, hour_ms, now_ms)

    def _samples(self, series: NDArray[np.int32], held_from_ms: int, from_ms: int, to_ms: int) -> SampleColumns:
        """Samples of one hour and those before that hold into it, unless these are what cannot be read."""
        try:
            return self._store.raw(series.tolist(), held_from_ms, to_ms)
        except HoursUnreadable as error:
            if from_ms // HOUR_MS in error.hours:
                raise
            return self._store.raw(series.tolist(), from_ms // HOUR_MS * HOUR_MS, to_ms)

    def _average_minutes(self, hour: int, sources: NDArray[np.int32], channels: Channels) -> None:
        """Hour means of minutes that stand, some sources at a time."""
        for first in range(0, len(sources), _SOURCES_AT_ONCE):
            own = np.isin(channels.source, sources[first : first + _SOURCES_AT_ONCE])
            from_ms = hour * HOUR_MS
            standing = self._store.means(MINUTE_MS, channels.series[own].tolist(), from_ms, from_ms + HOUR_MS)
            if len(standing):
                self._store.write_means(empty_means(), _batch(hour_means(standing)), no_minutes())

    def _tell(self, channels: Channels, at: NDArray[np.int64], hour_ms: int, now_ms: int) -> None:
        furnaces = np.unique(channels.furnace[at]).tolist()
        self._touched([FurnaceHour(furnace, hour_ms) for furnace in furnaces if furnace != NO_ID], now_ms)


def _whole_hours(marks: DirtyMinutes, limit: int) -> DirtyMinutes:
    """The marks without their last hour where there may be more of it than fitted; all where it is the only one."""
    hour = marks.minute // _MINUTES
    if len(marks) < limit or hour[0] == hour[-1]:
        return marks
    return _where(marks, hour < hour[-1])


def _parts(marks: DirtyMinutes) -> Iterator[DirtyMinutes]:
    """The marks of an hour, so many at a time that the samples of their minutes fit into memory."""
    if not len(marks):
        return
    sources = np.unique(marks.source)
    first, last = int(marks.minute.min()), int(marks.minute.max())
    width = min(_MINUTES_AT_ONCE, last - first + 1) if len(sources) > 1 else last - first + 1
    for from_minute in range(first, last + 1, width):
        for start in range(0, len(sources), at_once := max(1, _MARKS_A_PART // width)):
            own = np.isin(marks.source, sources[start : start + at_once])
            part = _where(marks, own & (marks.minute >= from_minute) & (marks.minute < from_minute + width))
            if len(part):
                yield part


def _merged(left: DirtyMinutes, right: DirtyMinutes) -> DirtyMinutes:
    source = np.concatenate([left.source, right.source])
    return _distinct(source, np.concatenate([left.minute, right.minute]))


def _held_into(marks: DirtyMinutes, channels: Channels) -> DirtyMinutes:
    """The marks, and the minutes after them into which a value of that source may still hold."""
    parts = [marks]
    holds = holds_ms(channels.period_s)
    for step in range(1, -(-int(holds.max(initial=0)) // MINUTE_MS) + 1):
        reaching = np.unique(channels.source[holds > (step - 1) * MINUTE_MS])
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


def _rows_of(means: Means, which: NDArray[np.bool_]) -> Means:
    return Means(*(getattr(means, name)[which] for name in Means.__struct_fields__))


def _batch(means: Means) -> MeanBatch:
    return MeanBatch(means.series, means.start_ms, means.mean, means.low, means.high, means.covered)
