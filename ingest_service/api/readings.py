"""What a series shows at a moment: its newest value, how far it may be trusted, and how old it is. Pure."""

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from edge_agent.wire.sample import Reason
from ingest_service.store.live import LiveRows
from ingest_service.store.overview import KnownSeries

STALE_PERIODS = 3
# Doubts about when, not about what: they concern a whole edge and are said once, not beside every value.
CLOCK_DOUBTS = (Reason.CLOCK_STEPPED, Reason.CLOCK_UNSYNCED)


class Trust(StrEnum):
    """How a value may be read. Only a live one is the present; a stale one is the last that came."""

    LIVE = "live"
    UNCERTAIN = "uncertain"
    BAD = "bad"
    STALE = "stale"
    NEVER = "never"


class Reading(msgspec.Struct, frozen=True):
    """The newest sample of a series. `value` is in the series' unit, None where there is none or it is bad."""

    series: KnownSeries
    value: float | None = None
    reason: Reason = Reason.GOOD
    measured_at_ms: int | None = None

    def trust(self, now_ms: int) -> Trust:
        """What the reader may make of it at `now_ms`."""
        if self.measured_at_ms is None:
            return Trust.NEVER
        if self.reason == Reason.STALE or self._is_old(now_ms):
            return Trust.STALE
        if self.reason.is_bad:
            return Trust.BAD
        return Trust.LIVE if self.reason in (Reason.GOOD, *CLOCK_DOUBTS) else Trust.UNCERTAIN

    def age_ms(self, now_ms: int) -> int | None:
        """Since its measurement; never below 0, as an edge's clock may run ahead."""
        return None if self.measured_at_ms is None else max(0, now_ms - self.measured_at_ms)

    def _is_old(self, now_ms: int) -> bool:
        after_ms = stale_after_ms(self.series)
        return after_ms is not None and now_ms - (self.measured_at_ms or 0) > after_ms


def stale_after_ms(series: KnownSeries) -> int | None:
    """The age beyond which a value is stale: 3 periods. None where no period is known (its edge's death decides)."""
    return None if series.period_s is None else round(STALE_PERIODS * series.period_s * 1000)


def readings(series: Sequence[KnownSeries], rows: LiveRows) -> list[Reading]:
    """One reading a series, in that order; a series without a row has never reported."""
    row_of = {int(found): index for index, found in enumerate(rows.series)}
    return [_reading(known, rows, row_of.get(known.id)) for known in series]


def clock_doubt(found: Sequence[Reading], now_ms: int) -> Reason | None:
    """The doubt about the clock that live values share, the graver where there are two; None where there is none."""
    reasons = {reading.reason for reading in found if reading.trust(now_ms) is Trust.LIVE}
    return next((doubt for doubt in CLOCK_DOUBTS if doubt in reasons), None)


def _reading(series: KnownSeries, rows: LiveRows, row: int | None) -> Reading:
    if row is None:
        return Reading(series)
    value = float(rows.value[row])
    return Reading(
        series=series,
        value=value if math.isfinite(value) else None,
        reason=reason_of(int(rows.reason[row])),
        measured_at_ms=int(rows.measured_at_ms[row]),
    )


def reason_of(code: int) -> Reason:
    """The reason of a stored code; one of a newer edge is plain BAD or UNCERTAIN."""
    try:
        return Reason(code)
    except ValueError:
        return Reason.BAD if code >= Reason.TIMEOUT else Reason.UNCERTAIN
