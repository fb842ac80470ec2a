"""Counts what was not admitted, for the counters at once and for the table of rejections now and then."""

import msgspec

from ingest_service.intake.admission import Rejection
from ingest_service.intake.counters import IngestCounters
from ingest_service.store.rejections import RejectionLog, RejectionRow

FLUSH_EVERY_MS = 1_000
Origin = tuple[str, str, str]  # home, edge, device
NOWHERE: Origin = ("", "", "")


class Refused:
    """Of one thread. Memory is one row a reason and origin until the next flush."""

    def __init__(self, counters: IngestCounters, log: RejectionLog) -> None:
        self._counters = counters
        self._log = log
        self._rows: dict[tuple[Rejection, Origin], RejectionRow] = {}
        self._flushed_ms = 0

    def samples(self, rejection: Rejection, origin: Origin, count: int, now_ms: int, example: str) -> None:
        """So many samples of that origin were rejected; `example` shows one."""
        tally = self._counters.samples_rejected
        tally[rejection.label] = tally.get(rejection.label, 0) + count
        self._keep(rejection, origin, count, now_ms, example)

    def message(self, rejection: Rejection, origin: Origin, now_ms: int, example: str) -> None:
        """A whole message was rejected."""
        self.unclear(rejection)
        self._keep(rejection, origin, 1, now_ms, example)

    def unclear(self, rejection: Rejection) -> None:
        """A message was put aside until its edge is born again: counted, but no rejection for good."""
        tally = self._counters.messages_rejected
        tally[rejection.label] = tally.get(rejection.label, 0) + 1

    def flush(self, now_ms: int) -> None:
        """Write what was counted, at most once a second. Raises StoreError and keeps it when that fails."""
        if self._rows and now_ms - self._flushed_ms >= FLUSH_EVERY_MS:
            self._flushed_ms = now_ms
            self._log.add(self._rows.values())
            self._rows.clear()

    def _keep(self, rejection: Rejection, origin: Origin, count: int, now_ms: int, example: str) -> None:
        known = self._rows.get((rejection, origin))
        if known is not None:
            row = msgspec.structs.replace(known, count=known.count + count, last_at_ms=now_ms, example=example)
        else:
            home, edge, device = origin
            row = RejectionRow(
                reason=rejection.label, home=home, edge=edge, device=device,
                count=count, first_at_ms=now_ms, last_at_ms=now_ms, example=example,
            )  # fmt: skip
        self._rows[rejection, origin] = row
