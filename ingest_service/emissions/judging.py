"""Judges stretches of minutes against a limit. Vectorised over (furnace, period); the same for every averaging."""

import msgspec
import numpy as np

from ingest_service.columns import Bools, Float64s, Int64s
from ingest_service.emissions import spans as over
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.columns import MINUTES
from ingest_service.emissions.conversion import Converted, convert
from ingest_service.emissions.limits import Cause, HourRows, Verdict, Verdicts
from ingest_service.emissions.pack import Limit, RulePack, Validity
from ingest_service.emissions.rounding import half_even
from ingest_service.emissions.spans import Spans
from ingest_service.emissions.vocabulary import Bound, Compared

_NOISE = 1e-9  # relative; a mean that is over its limit by less owes it to binary arithmetic


class Found(msgspec.Struct, frozen=True):
    """Periods in the limit's unit before anyone has judged them: `enough` says which have enough that is valid.

    `impossible` and `lost_to` hold codes of `Cause`: why a period cannot be judged at all, and what it lacks most.
    """

    mean: Float64s
    peak: Float64s
    valid_minutes: Int64s
    enough: Bools
    impossible: Int64s
    lost_to: Int64s

    @property
    def counts(self) -> Bools:
        """Which means are valid."""
        return np.asarray(self.enough & (self.impossible == Cause.NONE))


def judge_spans(rows: HourRows, spans: Spans, limit: Limit, pack: RulePack, barometric_pa: float | None) -> Verdicts:
    """Every stretch of the rows' minutes, laid end to end, against the limit.

    `barometric_pa` (Pa) is needed for wet gas at stack conditions.
    """
    return decide(gather(convert(rows, limit, pack, barometric_pa), spans, limit, pack), limit, pack)


def gather(converted: Converted, spans: Spans, limit: Limit, pack: RulePack) -> Found:
    """Mean, worst minute and validity of every stretch."""
    minutes, cause = converted.minutes.ravel(), converted.cause.ravel()
    count = over.counts(cause == 0, spans)
    total = over.sums(np.where(cause == 0, minutes, 0.0), spans)
    mean = np.divide(total, count, out=np.full(len(spans), np.nan), where=count > 0)
    at_least = limit.bound is Bound.AT_LEAST
    peak = over.lowest(minutes, spans) if at_least else over.highest(minutes, spans)
    mean = np.clip(mean, over.lowest(minutes, spans), over.highest(minutes, spans))
    operating = spans.minutes - over.counts(cause == Cause.FEW_OPERATING_MINUTES, spans)
    impossible = converted.impossible[spans.begin // MINUTES]
    return Found(
        mean=limit.scale.outward(mean),
        peak=limit.scale.outward(peak),
        valid_minutes=count,
        enough=count >= needed_minutes(limit.averaging, spans.minutes, operating, pack.validity),
        impossible=np.where((impossible == Cause.NONE) & (operating == 0), Cause.NOT_OPERATING, impossible),
        lost_to=_worst_cause(cause, spans),
    )


def needed_minutes(averaging: Averaging, minutes: Int64s, operating: Int64s, validity: Validity) -> Int64s:
    """How many valid minutes a stretch needs: the share that the rule asks of an hour; of operating time, of that."""
    counted = operating if averaging is Averaging.OPERATING_DAY else minutes
    return np.maximum(1, -(-counted * validity.valid_minutes // MINUTES))


def decide(found: Found, limit: Limit, pack: RulePack) -> Verdicts:
    """Verdicts and their causes."""
    possible = found.impossible == Cause.NONE
    judged = np.where(exceeds(found.mean, limit, pack), Verdict.EXCEEDED, Verdict.WITHIN)
    verdict = np.where(possible, np.where(found.enough, judged, Verdict.INVALID), Verdict.NOT_JUDGED)
    cause = np.where(possible, np.where(found.enough, Cause.NONE, found.lost_to), found.impossible)
    return Verdicts(found.mean, found.peak, found.valid_minutes, verdict.astype(np.int64), cause.astype(np.int64))


def exceeds(means: Float64s, limit: Limit, pack: RulePack) -> Bools:
    """Which means (in the limit's unit) break the limit; NaN breaks none."""
    compared = half_even(means, limit.step) if pack.rounding.compared is Compared.ROUNDED else means
    slack = abs(limit.limit) * _NOISE
    match limit.bound:
        case Bound.AT_MOST:
            return np.asarray(compared > limit.limit + slack)
        case Bound.BELOW:
            return np.asarray(compared >= limit.limit - slack)
        case Bound.AT_LEAST:
            return np.asarray(compared < limit.limit - slack)


# The causes that can take minutes away; of equal ones the first is told.
_LOSSES = (
    Cause.FEW_OPERATING_MINUTES,
    Cause.MARKED,
    Cause.MISSING_VALUES,
    Cause.MISSING_O2,
    Cause.MISSING_MOISTURE,
    Cause.MISSING_STACK_STATE,
    Cause.O2_TOO_HIGH,
)


def _worst_cause(cause: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], spans: Spans) -> Int64s:
    """What took most minutes of each stretch away."""
    if not cause.any():
        return np.full(len(spans), int(Cause.NONE), np.int64)
    lost = np.stack([over.counts(cause == code, spans) for code in _LOSSES])
    return np.asarray(np.array(_LOSSES, np.int64)[lost.argmax(axis=0)])
