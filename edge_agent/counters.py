"""What a poller has done so far, per device: for health tags, the status file and the terminal."""

from collections import deque
from collections.abc import Iterable

import msgspec

KEPT_TIMES = 512


class PollCounters(msgspec.Struct, kw_only=True):
    """Counts since the start. `samples_read` counts decoded values before the deadband, bad ones included.

    `skipped_slots` are readings that came too late to be made. A response time is that of one read, a poll time that of
    all reads of one poll; the last ones are kept (ms).
    """

    device: str
    polls: int = 0
    reads: int = 0
    samples_read: int = 0
    samples_reported: int = 0
    bad_reads: int = 0
    timeouts: int = 0
    skipped_slots: int = 0
    response_times_ms: deque[int] = msgspec.field(default_factory=lambda: deque(maxlen=KEPT_TIMES))
    poll_times_ms: deque[int] = msgspec.field(default_factory=lambda: deque(maxlen=KEPT_TIMES))

    def response_ms(self, percent: float) -> int | None:
        """That percentile of the last response times (ms, nearest rank); None before the first response."""
        return _percentile(self.response_times_ms, percent)

    def poll_ms(self, percent: float) -> int | None:
        """That percentile of the last poll times (ms, nearest rank); None before the first poll that succeeded."""
        return _percentile(self.poll_times_ms, percent)


def total_of(counters: Iterable[PollCounters]) -> PollCounters:
    """The sums over several devices; response times are left out."""
    total = PollCounters(device="")
    for one in counters:
        total.polls += one.polls
        total.reads += one.reads
        total.samples_read += one.samples_read
        total.samples_reported += one.samples_reported
        total.bad_reads += one.bad_reads
        total.timeouts += one.timeouts
        total.skipped_slots += one.skipped_slots
    return total


def _percentile(values: Iterable[int], percent: float) -> int | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else None
