"""Hours of which the samples cannot be read, because their file is damaged: left out until it has been brought back."""

from collections.abc import Iterable

import structlog

from ingest_service.errors import HoursUnreadable

TRY_AGAIN_MS = 300_000  # to find out which file is damaged all of it is read
_log = structlog.get_logger(__name__)


class UnreadableHours:
    """Hours count since 1970 UTC; each is tried again after `TRY_AGAIN_MS`. What happens is logged once an hour."""

    def __init__(self) -> None:
        self._again_ms: dict[int, int] = {}

    def left_out(self, now_ms: int) -> frozenset[int]:
        """The hours that are not to be read now."""
        return frozenset(hour for hour, again_ms in self._again_ms.items() if now_ms < again_ms)

    def failed(self, hour: int, error: HoursUnreadable, now_ms: int) -> None:
        """That hour could not be averaged."""
        if hour not in self._again_ms:
            _log.error("hour_left_out", hour=hour, problem=str(error))
        self._again_ms[hour] = now_ms + TRY_AGAIN_MS

    def read(self, hours: Iterable[int]) -> None:
        """These hours could be averaged."""
        for hour in hours:
            if self._again_ms.pop(hour, None) is not None:
                _log.info("hour_readable_again", hour=hour)
