"""What was written to a server that may still lose it: kept until the server has had it for long enough."""

from collections import deque
from collections.abc import Sequence

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Int32s
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch, empty_samples, some_rows, without_repeats
from ingest_service.store.held import HeldBlocks, HeldRange
from ingest_service.store.remote.columns import joined_means


class Written(msgspec.Struct, frozen=True):
    """One write that is not safe yet: blocks to be held, marks to be cleared (of a round), at a monotonic time, s."""

    at_s: float
    ranges: Sequence[HeldRange] = ()
    done: DirtyMinutes | None = None
    last_round: int = 0


class Pending:
    """The writes of the last seconds, oldest first."""

    def __init__(self) -> None:
        self._writes: deque[Written] = deque()
        self._held = HeldBlocks()

    def add(self, written: Written) -> None:
        """Another write."""
        self._writes.append(written)
        self._held.add(written.ranges)

    @property
    def blocks(self) -> HeldBlocks:
        """The blocks that are written and not safe yet."""
        return self._held

    def ripe(self, before_s: float) -> list[Written]:
        """The writes from before that time; they stay until they are taken away."""
        return [one for one in self._writes if one.at_s <= before_s]

    def take(self, ripe: Sequence[Written]) -> None:
        """These are safe."""
        for _ in ripe:
            self._writes.popleft()
        self._held = HeldBlocks(part for one in self._writes for part in one.ranges)

    def lose(self) -> list[Written]:
        """None of it is safe any more: forget it all, and say what it was."""
        lost = list(self._writes)
        self._writes.clear()
        self._held = HeldBlocks()
        return lost


class RecentSamples:
    """The samples of the last writes, which the server may not show yet."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._batches: deque[tuple[float, SampleBatch]] = deque()

    def add(self, batch: SampleBatch, now_s: float) -> None:
        """Just written."""
        if self._keep_s:
            self._batches.append((now_s, batch))
        while self._batches and self._batches[0][0] < now_s - self._keep_s:
            self._batches.popleft()

    def over(self, found: SampleBatch, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """What the server shows with what was written since, sorted by series and time, one for each."""
        wanted = np.asarray(series, np.int32)
        recent = [_within(batch, wanted, from_ms, to_ms) for _, batch in list(self._batches)]
        return without_repeats([part for part in (*recent, found) if len(part)])

    def hours(self, series: Sequence[int], from_ms: int, to_ms: int) -> list[int]:
        """The hours (by their starts) of that span which the last writes touch."""
        touched = self.over(empty_samples(), series, from_ms, to_ms).measured_at_ms // HOUR_MS
        return [hour * HOUR_MS for hour in np.unique(touched).tolist()]


class RecentMeans:
    """The means of the last writes by period length, ms."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._batches: deque[tuple[float, int, MeanBatch]] = deque()

    def add(self, period_ms: int, means: MeanBatch, now_s: float) -> None:
        """Just written."""
        if self._keep_s:
            self._batches.append((now_s, period_ms, means))
        while self._batches and self._batches[0][0] < now_s - self._keep_s:
            self._batches.popleft()

    def over(self, found: MeanBatch, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """What the server shows with what was written since."""
        for _, length_ms, means in list(self._batches):
            if length_ms == period_ms:
                found = joined_means(found, _means_within(means, np.asarray(series, np.int32), from_ms, to_ms))
        return found


def _within(batch: SampleBatch, series: Int32s, from_ms: int, to_ms: int) -> SampleBatch:
    rows = (batch.measured_at_ms >= from_ms) & (batch.measured_at_ms < to_ms)
    rows[rows] = np.isin(batch.series[rows], series)
    return some_rows(batch, rows)


def _means_within(means: MeanBatch, series: Int32s, from_ms: int, to_ms: int) -> MeanBatch:
    rows = (means.start_ms >= from_ms) & (means.start_ms < to_ms) & np.isin(means.series, series)
    return MeanBatch(*(getattr(means, name)[rows] for name in MeanBatch.__struct_fields__))
