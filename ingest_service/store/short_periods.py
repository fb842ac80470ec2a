"""What became of the periods within each hour: short means, of which there are too many to be told one by one."""

from typing import Any

import msgspec
from sqlalchemy import and_, func, select

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.averages import WIDTHS, Averaging
from ingest_service.store.judged_tables import Judgement
from ingest_service.store.overview import Reader
from ingest_service.store.tables import Furnace
from ingest_service.store.trends import PERIOD_KEY, newest_revisions

SHORT = tuple(one for one in (*WIDTHS, Averaging.ROLLING_HOUR) if one is not Averaging.CLOCK_HOUR)

_ALIKE = ("rule", "pollutant", "averaging", "limit", "unit", "verdict", "cause")


class ShortPeriods(msgspec.Struct, frozen=True):
    """The periods of one limit that began in the hour from `start_ms` on (ms since 1970 UTC) and came to one verdict.

    `lowest` and `highest` are of their means, in `unit`; None where they have none.
    """

    start_ms: int
    rule: str
    pollutant: str
    averaging: str
    limit: float
    unit: str
    verdict: str
    cause: str
    periods: int
    lowest: float | None
    highest: float | None


def short_periods(reader: Reader, furnace_id: int, from_ms: int, to_ms: int) -> list[ShortPeriods]:
    """Those of a furnace in `[from_ms, to_ms)`, hours counted from `from_ms` on, by hour, rule and pollutant."""
    newest = newest_revisions(furnace_id, from_ms, to_ms).where(Judgement.averaging.in_(SHORT)).subquery()
    hour = (Judgement.start_ms - from_ms) // HOUR_MS
    alike = [getattr(Judgement, name).label(name) for name in _ALIKE]
    lowest, highest = func.min(Judgement.mean).label("lowest"), func.max(Judgement.mean).label("highest")
    query = (
        select(hour.label("hour"), *alike, func.count().label("periods"), lowest, highest)
        .join(Furnace, Furnace.id == Judgement.furnace_id)
        .join(newest, and_(*(getattr(Judgement, name) == newest.c[name] for name in PERIOD_KEY)))
        .where(reader.scope.admits(Furnace.home_id))
        .group_by(hour, *alike)
        .order_by(hour, *alike)
    )
    return [_row(from_ms, **row) for row in reader.rows(query)]


def _row(from_ms: int, hour: int, **row: Any) -> ShortPeriods:
    return ShortPeriods(start_ms=from_ms + int(hour) * HOUR_MS, **row)
