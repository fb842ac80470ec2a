"""From periods to verdicts, whatever the averaging: which minutes a period needs, and how they become its mean."""

from collections.abc import Callable
from datetime import tzinfo

import msgspec
import numpy as np

from ingest_service.columns import Int64s
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.conversion import convert
from ingest_service.emissions.judging import Found, decide, gather, judge_spans
from ingest_service.emissions.limits import HourRows, Verdicts
from ingest_service.emissions.longer import day_means, month_means
from ingest_service.emissions.marks import CycleSpan
from ingest_service.emissions.pack import Limit, RulePack, Share
from ingest_service.emissions.periods import (
    Periods,
    clock_hours,
    hours_within,
    of_cremations,
    spans_of,
    touched,
    within,
)
from ingest_service.emissions.shares import begun_within, share_verdicts

# The minutes of (furnace, hour) rows, sorted so.
ReadHours = Callable[[Int64s, Int64s], HourRows]


class Evidence(msgspec.Struct, frozen=True):
    """What a judgement is formed from. `barometric_pa` (Pa) is the site's air pressure where it is known."""

    hours: ReadHours
    cycles: CycleSpan
    zone: tzinfo
    barometric_pa: float | None


def assess(periods: Periods, limit: Limit, pack: RulePack, evidence: Evidence) -> Verdicts:
    """A verdict for each period."""
    match limit.averaging:
        case Averaging.DAY:
            return decide(_days(periods, limit, pack, evidence), limit, pack)
        case Averaging.MONTH:
            return decide(_months(periods, limit, pack, evidence), limit, pack)
        case Averaging.SHARE_OF_CREMATIONS if limit.share is not None:
            return _share(periods, limit, limit.share, pack, evidence)
        case _:
            return _stretches(periods, limit, pack, evidence)


def _stretches(periods: Periods, limit: Limit, pack: RulePack, evidence: Evidence) -> Verdicts:
    furnace, hour_ms = hours_within(periods)
    rows = evidence.hours(furnace, hour_ms)
    return judge_spans(rows, spans_of(periods, furnace, hour_ms), limit, pack, evidence.barometric_pa)


def _days(days: Periods, limit: Limit, pack: RulePack, evidence: Evidence) -> Found:
    hours = clock_hours(days, evidence.zone)
    furnace, hour_ms = hours_within(hours)
    hourly = msgspec.structs.replace(limit, averaging=Averaging.CLOCK_HOUR)
    converted = convert(evidence.hours(furnace, hour_ms), limit, pack, evidence.barometric_pa)
    found = gather(converted, spans_of(hours, furnace, hour_ms), hourly, pack)
    return day_means(found, hours.furnace, hours.start_ms, days, limit.bound, pack.validity)


def _months(months: Periods, limit: Limit, pack: RulePack, evidence: Evidence) -> Found:
    furnace, hour_ms = hours_within(months)
    days = within(touched(Averaging.DAY, furnace, hour_ms, evidence.zone, evidence.cycles), months)
    return month_means(_days(days, limit, pack, evidence), days, months, limit.bound, pack.validity, evidence.zone)


def _share(windows: Periods, limit: Limit, share: Share, pack: RulePack, evidence: Evidence) -> Verdicts:
    cycles = begun_within(windows, evidence.cycles)
    parts = of_cremations(share.each, cycles)
    each = msgspec.structs.replace(limit, averaging=share.each, share=None)
    if not len(parts):
        return share_verdicts(_nothing(), parts, windows, cycles, share)
    return share_verdicts(_stretches(parts, each, pack, evidence), parts, windows, cycles, share)


def _nothing() -> Verdicts:
    means, codes = np.empty(0), np.empty(0, np.int64)
    return Verdicts(means, means, codes, codes, codes)
