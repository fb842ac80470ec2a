"""What became of an hour, in a word. Pure."""

from enum import StrEnum, unique

from ingest_service.emissions.limits import Cause, Verdict
from ingest_service.store.short_periods import ShortPeriods
from ingest_service.store.trends import JudgedPeriod


@unique
class Level(StrEnum):
    """What became of an hour, the worst last."""

    NONE = "none"  # nothing was judged
    IDLE = "idle"
    SHORT = "short"  # operated too briefly for a valid mean
    WITHIN = "within"
    LOST = "lost"  # a valid mean was due and there is none
    EXCEEDED = "exceeded"


ORDER = list(Level)


def level_of(period: JudgedPeriod | ShortPeriods) -> Level:
    """What a judged period is, or several of one verdict."""
    if period.verdict == Verdict.EXCEEDED.label:
        return Level.EXCEEDED
    if period.verdict == Verdict.WITHIN.label:
        return Level.WITHIN
    if period.cause in (Cause.NOT_OPERATING.label, Cause.NO_CREMATION.label):
        return Level.IDLE
    return Level.SHORT if period.cause == Cause.FEW_OPERATING_MINUTES.label else Level.LOST
