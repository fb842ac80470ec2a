"""What a poller has done so far, per device: for health tags, the status file and the terminal."""

from collections import deque
from collections.abc import Iterable

import msgspec

KEPT_RESPONSE_TIMES = 512


class PollCounters(msgspec.Struct, kw_only=True):
    """Counts since the start. `samples_read` counts decoded values before the deadband, bad ones included.

    `skipped_slots` are readings that came too late to be made. Response times are the last ones (ms).
    """

    device: str
    polls: int = 0
    reads: int = 0
    samples_read: int = 0
    samples_reported: int = 0
    bad_reads: int = 0
    timeouts: int = 0
    skipped_slots: int = 0
    response_times_ms: deque[int] = msgspec.field(default_factory=lambda: deque(maxlen=KEPT_RESPONSE_TIMES))

    def response_ms(self, percent: float) -> int | None:
        """That percentile of the last response times (ms, nearest rank); None before the first response."""
        ordered = sorted(self.response_times_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else None


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
