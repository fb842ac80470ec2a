"""What judged periods add up to: per limit over a span, per day or month of it, and what was lost to what. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Cause, Verdict
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound
from ingest_service.reports.model import LimitLine, Loss, Part, Subject
from ingest_service.store.trends import JudgedPeriod, OverLimit

_COUNTS = (Verdict.WITHIN.label, Verdict.EXCEEDED.label)
# Nothing was to be measured: such a period is neither valid nor lost.
_IDLE = (Cause.NOT_OPERATING.label, Cause.FEW_OPERATING_MINUTES.label, Cause.NO_CREMATION.label)
_PLAIN_STEP = 0.1  # of a limit whose pack is in the book no more


class Tally(msgspec.Struct, frozen=True):
    """How many periods were what."""

    valid: int
    exceeded: int
    lost: int
    idle: int

    @property
    def capture_pct(self) -> float | None:
        """The share of valid ones among those that should be, %; None where none should."""
        due = self.valid + self.lost
        return None if not due else 100.0 * self.valid / due


def subject_of(period: JudgedPeriod) -> Subject:
    """What was judged in it."""
    return Subject(period.rule, period.pollutant, period.averaging, period.limit, period.unit)


def limit_lines(
    periods: Sequence[JudgedPeriod], found: Sequence[OverLimit], packs: Sequence[RulePack]
) -> tuple[LimitLine, ...]:
    """A line a subject, in the order of the packs' limits."""
    lines = [_line(subject, own, found, packs) for subject, own in by_subject(periods)]
    order = {key: place for place, key in enumerate(_keys(packs))}
    return tuple(sorted(lines, key=lambda line: (order.get(_key(line.subject), len(order)), line.subject)))


def parts_of(periods: Sequence[JudgedPeriod], part_of: Callable[[int], tuple[int, int]]) -> tuple[Part, ...]:
    """Hours by subject and by the day or month in which they begin (`part_of` gives its bounds), in order of time."""
    hourly = [period for period in periods if period.averaging == Averaging.CLOCK_HOUR]
    found = []
    for subject, own in by_subject(hourly):
        for (start_ms, end_ms), hours in groupby(own, key=lambda period: part_of(period.start_ms)):
            found.append(_part(subject, start_ms, end_ms, list(hours)))
    return tuple(sorted(found, key=lambda part: (part.start_ms, part.subject)))


def losses_of(periods: Sequence[JudgedPeriod]) -> tuple[Loss, ...]:
    """What was lost to what, by subject; what was not operated is no loss."""
    counts: dict[tuple[Subject, str, str], int] = {}
    for period in periods:
        if is_lost(period):
            key = subject_of(period), period.verdict, period.cause
            counts[key] = counts.get(key, 0) + 1
    return tuple(sorted(Loss(*key, count) for key, count in counts.items()))


def by_subject(periods: Iterable[JudgedPeriod]) -> Iterator[tuple[Subject, list[JudgedPeriod]]]:
    """The periods of each subject, in order of time."""
    ordered = sorted(periods, key=lambda period: (subject_of(period), period.start_ms))
    for subject, own in groupby(ordered, key=subject_of):
        yield subject, list(own)


def is_idle(period: JudgedPeriod) -> bool:
    """True where nothing was to be measured."""
    return period.verdict not in _COUNTS and period.cause in _IDLE


def is_lost(period: JudgedPeriod) -> bool:
    """True where a valid mean was due and there is none."""
    return period.verdict not in _COUNTS and not is_idle(period)


def tally(periods: Sequence[JudgedPeriod]) -> Tally:
    """How many were what."""
    valid = sum(period.verdict in _COUNTS for period in periods)
    idle = sum(is_idle(period) for period in periods)
    exceeded = sum(period.verdict == Verdict.EXCEEDED.label for period in periods)
    return Tally(valid, exceeded, len(periods) - valid - idle, idle)


def limit_of(subject: Subject, packs: Sequence[RulePack]) -> Limit | None:
    """The limit in its pack; None where the book holds that version no more."""
    pack = next((pack for pack in packs if pack.key == subject.rule), None)
    return pack.limit_of(Pollutant(subject.pollutant), Averaging(subject.averaging)) if pack else None


def _line(
    subject: Subject, periods: Sequence[JudgedPeriod], found: Sequence[OverLimit], packs: Sequence[RulePack]
) -> LimitLine:
    means = [(period.mean, period.start_ms) for period in periods if period.mean is not None]
    peaks = [period.peak for period in periods if period.peak is not None]
    over = [one for one in found if _key(subject) == (one.rule, one.pollutant, one.averaging)]
    limit, counts = limit_of(subject, packs), tally(periods)
    bound = limit.bound if limit else Bound.AT_MOST
    if subject.unit == "%" and limit is not None and limit.share is not None:
        bound = Bound.AT_LEAST
    highest = max(means, default=None)
    return LimitLine(
        subject=subject,
        bound=bound,
        step=limit.step if limit else _PLAIN_STEP,
        clause_zh=limit.clause_zh if limit else "",
        clause_en=limit.clause_en if limit else "",
        mean=_mean([mean for mean, _ in means]),
        highest=highest[0] if highest else None,
        highest_at_ms=highest[1] if highest else None,
        lowest=min((mean for mean, _ in means), default=None),
        worst_minute=(min if bound is Bound.AT_LEAST else max)(peaks, default=None),
        valid=counts.valid,
        exceeded=counts.exceeded,
        lost=counts.lost,
        idle=counts.idle,
        capture_pct=counts.capture_pct,
        exceedances=len(over),
        exceeded_minutes=_exceeded_minutes(periods),
    )


def _exceeded_minutes(periods: Sequence[JudgedPeriod]) -> int:
    """The time that exceeded periods cover; overlapping ones (rolling means) count once."""
    total_ms = until_ms = 0
    for period in periods:
        if period.verdict == Verdict.EXCEEDED.label:
            total_ms += max(0, period.end_ms - max(period.start_ms, until_ms))
            until_ms = max(until_ms, period.end_ms)
    return total_ms // MINUTE_MS


def _part(subject: Subject, start_ms: int, end_ms: int, hours: Sequence[JudgedPeriod]) -> Part:
    means, counts = [hour.mean for hour in hours if hour.mean is not None], tally(hours)
    highest = max(means, default=None)
    return Part(subject, start_ms, end_ms, _mean(means), highest, counts.valid, counts.exceeded, counts.lost)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _key(subject: Subject) -> tuple[str, str, str]:
    return subject.rule, subject.pollutant, subject.averaging


def _keys(packs: Sequence[RulePack]) -> list[tuple[str, str, str]]:
    return [(pack.key, str(limit.pollutant), str(limit.averaging)) for pack in packs for limit in pack.judged]
