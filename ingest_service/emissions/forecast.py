"""The running hour against its limit, with a forecast of how it will end: from minutes to previews."""

import math

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.emissions.columns import MINUTES
from ingest_service.emissions.conversion import convert
from ingest_service.emissions.judging import decide, gather
from ingest_service.emissions.limits import Cause, HourRows
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.periods import Periods
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.running import Running, of_minutes, outlook
from ingest_service.emissions.spans import equal_spans
from ingest_service.emissions.vocabulary import Bound


def forecast(
    hours: Periods, rows: HourRows, limit: Limit, pack: RulePack, barometric_pa: float | None, until_ms: int
) -> list[Preview]:
    """A preview of each running hour (a row of `rows` each), from the minutes that ended by `until_ms`."""
    converted = convert(rows, limit, pack, barometric_pa)
    elapsed = min(MINUTES, max(0, (until_ms - int(hours.start_ms[0])) // MINUTE_MS)) if len(hours) else 0
    at_least = np.full(len(hours), limit.bound is Bound.AT_LEAST)
    running = of_minutes(limit.scale.outward(converted.minutes), elapsed, at_least)
    cause = decide(gather(converted, equal_spans(len(hours), MINUTES), limit, pack), limit, pack).cause
    ahead = _ahead(running, limit, pack, at_least)
    return [
        Preview(
            furnace_id=int(hours.furnace[row]),
            rule=pack.key,
            pollutant=limit.pollutant,
            start_ms=int(hours.start_ms[row]),
            until_ms=until_ms,
            mean=_known(mean),
            peak=_known(float(running.worst[row])),
            limit=limit.limit,
            unit=limit.unit,
            valid_minutes=int(running.count[row]),
            valid_minutes_needed=pack.validity.valid_minutes,
            cause="" if math.isfinite(mean) else Cause(int(cause[row])).label,
            forecast_mean=_known(coming),
            exceeds_at_ms=None if math.isnan(in_min) else until_ms + round(in_min * MINUTE_MS),
        )
        for row, (mean, coming, in_min) in enumerate(ahead)
    ]


def _ahead(
    running: Running, limit: Limit, pack: RulePack, at_least: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> list[tuple[float, float, float]]:
    """Mean so far, forecast mean and minutes until the hour is over its limit, a row each."""
    needed = np.full(running.count.shape, pack.validity.valid_minutes)
    found = outlook(running, np.full(running.total.shape, limit.limit), needed, at_least)
    columns = (found.mean, found.forecast_mean, found.exceeds_in_min)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
