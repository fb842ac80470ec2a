"""Judged periods in the relational database, every revision of them, and the exceedances that they add up to."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.explanation import Revision
from ingest_service.emissions.limits import Verdict
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store.exceedances import ExceedanceRow, Subject, rebuild
from ingest_service.store.judged_tables import Exceedance, Judgement
from ingest_service.store.transaction import transaction

_PRECISION = 1e-9  # relative; a mean that differs by less is the same mean


class PeriodJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """One period of one pollutant at one furnace. `mean` is None unless it was judged within or exceeded."""

    furnace_id: int
    rule: str
    pollutant: Pollutant
    averaging: Averaging
    bound: Bound
    start_ms: int
    end_ms: int
    mean: float | None
    peak: float | None
    limit: float
    unit: str
    clause: str
    valid_minutes: int
    verdict: Verdict
    cause: str


class Recorded(msgspec.Struct, frozen=True):
    """What `record` did: periods judged first, periods revised, and the exceedances near them as they are now."""

    first: int
    revised: int
    exceedances: tuple[ExceedanceRow, ...]


class LastHour(msgspec.Struct, frozen=True):
    """The newest judged hour of a furnace."""

    furnace_id: int
    start_ms: int


class LastPeriod(msgspec.Struct, frozen=True):
    """The newest judged period of an averaging at a furnace."""

    furnace_id: int
    averaging: Averaging
    start_ms: int
    end_ms: int


class JudgedBefore(msgspec.Struct, frozen=True):
    """The newest revision of a judged period, as far as it takes to withdraw it."""

    furnace_id: int
    rule: str
    pollutant: Pollutant
    averaging: Averaging
    start_ms: int
    end_ms: int
    limit: float
    unit: str
    verdict: str


class JudgementStore:
    """Judgements are only added to: what late data change is a new revision with its reason."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, judged: Sequence[PeriodJudgement], now_ms: int, reason: str) -> Recorded:
        """Add what is new or differs from its newest revision; `reason` is that of a revision."""
        with transaction(self._engine) as session:
            newest = _newest(session, judged)
            changed = [hour for hour in judged if not _same(newest.get(_identity(hour)), hour)]
            revisions = [_next_revision(newest.get(_identity(hour))) for hour in changed]
            rows = [_row(hour, number, reason, now_ms) for hour, number in zip(changed, revisions, strict=True)]
            session.add_all(rows)
            session.flush()
            found = tuple(_rebuilt(session, changed))
        return Recorded(revisions.count(0), len(revisions) - revisions.count(0), found)

    def last_hours(self) -> tuple[LastHour, ...]:
        """The newest judged hour of every furnace that has any."""
        query = select(Judgement.furnace_id, func.max(Judgement.start_ms)).group_by(Judgement.furnace_id)
        with transaction(self._engine) as session:
            rows = session.execute(query)
            return tuple(LastHour(furnace, start_ms // HOUR_MS * HOUR_MS) for furnace, start_ms in rows)

    def last_recorded_ms(self) -> int | None:
        """When anything was recorded last (ms since 1970 UTC); None where nothing ever was."""
        with transaction(self._engine) as session:
            return session.scalar(select(func.max(Judgement.computed_at_ms)))

    def last_periods(self) -> tuple[LastPeriod, ...]:
        """The newest judged period of every furnace and averaging."""
        newest = (func.max(Judgement.start_ms), func.max(Judgement.end_ms))
        query = select(Judgement.furnace_id, Judgement.averaging, *newest)
        with transaction(self._engine) as session:
            rows = session.execute(query.group_by(Judgement.furnace_id, Judgement.averaging))
            return tuple(LastPeriod(furnace, Averaging(kind), start, end) for furnace, kind, start, end in rows)

    def standing(
        self, furnaces: Iterable[int], averagings: Iterable[Averaging], from_ms: int, to_ms: int
    ) -> tuple[JudgedBefore, ...]:
        """What holds of these furnaces over these averagings of periods that touch `[from_ms, to_ms)`."""
        query = select(Judgement).where(
            Judgement.furnace_id.in_(set(furnaces)),
            Judgement.averaging.in_([averaging.value for averaging in averagings]),
            Judgement.start_ms < to_ms,
            Judgement.end_ms > from_ms,
        )
        with transaction(self._engine) as session:
            rows = {_key(row): row for row in session.scalars(query.order_by(Judgement.revision))}
            return tuple(msgspec.convert(row, JudgedBefore, from_attributes=True) for row in rows.values())

    def judged_hours(self, from_ms: int) -> frozenset[LastHour]:
        """Every furnace and hour (of UTC) from `from_ms` on in which an hour or more begins that was judged."""
        query = select(Judgement.furnace_id, Judgement.start_ms).where(
            Judgement.start_ms >= from_ms, Judgement.end_ms - Judgement.start_ms >= HOUR_MS
        )
        with transaction(self._engine) as session:
            rows = session.execute(query.distinct())
            return frozenset(LastHour(furnace, start_ms // HOUR_MS * HOUR_MS) for furnace, start_ms in rows)

    def revisions(
        self, furnace_id: int, rule: str, pollutant: str, averaging: str, start_ms: int
    ) -> tuple[Revision, ...]:
        """Everything that was recorded about one period, oldest first."""
        query = select(Judgement).where(
            Judgement.furnace_id == furnace_id,
            Judgement.rule == rule,
            Judgement.pollutant == pollutant,
            Judgement.averaging == averaging,
            Judgement.start_ms == start_ms,
        )
        with transaction(self._engine) as session:
            rows = session.scalars(query.order_by(Judgement.revision))
            return tuple(_revision(row) for row in rows)

    def exceedances(self, ended_after_ms: int) -> tuple[ExceedanceRow, ...]:
        """The exceedances that ended after that time, oldest first."""
        query = select(Exceedance).where(Exceedance.end_ms > ended_after_ms).order_by(Exceedance.start_ms)
        with transaction(self._engine) as session:
            return tuple(ExceedanceRow.of(row) for row in session.scalars(query))


Identity = tuple[int, str, str, str, int]


def _identity(period: PeriodJudgement) -> Identity:
    return period.furnace_id, period.rule, period.pollutant.value, period.averaging.value, period.start_ms


def _key(row: Judgement) -> Identity:
    return row.furnace_id, row.rule, row.pollutant, row.averaging, row.start_ms


def _newest(session: Session, judged: Sequence[PeriodJudgement]) -> dict[Identity, Judgement]:
    """The newest revision of every period in question."""
    if not judged:
        return {}
    query = select(Judgement).where(
        Judgement.furnace_id.in_({hour.furnace_id for hour in judged}),
        Judgement.start_ms.between(min(hour.start_ms for hour in judged), max(hour.start_ms for hour in judged)),
    )
    rows = session.scalars(query.order_by(Judgement.revision))
    return {_key(row): row for row in rows}


def _revision(row: Judgement) -> Revision:
    return Revision(row.revision, row.revision_reason, row.verdict, row.mean, row.computed_at_ms)


def _same(row: Judgement | None, hour: PeriodJudgement) -> bool:
    if row is None:
        return False
    words = (row.verdict, row.cause, row.valid_minutes) == (hour.verdict.label, hour.cause, hour.valid_minutes)
    return (
        words
        and row.end_ms == hour.end_ms
        and row.limit == hour.limit
        and _close(row.mean, hour.mean)
        and _close(row.peak, hour.peak)
    )


def _close(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=_PRECISION, abs_tol=_PRECISION)


def _next_revision(row: Judgement | None) -> int:
    return 0 if row is None else row.revision + 1


def _row(hour: PeriodJudgement, revision: int, reason: str, now_ms: int) -> Judgement:
    return Judgement(
        furnace_id=hour.furnace_id,
        rule=hour.rule,
        pollutant=hour.pollutant.value,
        averaging=hour.averaging.value,
        start_ms=hour.start_ms,
        end_ms=hour.end_ms,
        mean=hour.mean,
        peak=hour.peak,
        limit=hour.limit,
        unit=hour.unit,
        valid_minutes=hour.valid_minutes,
        verdict=hour.verdict.label,
        cause=hour.cause,
        revision=revision,
        revision_reason=reason if revision else "",
        computed_at_ms=now_ms,
    )


def _rebuilt(session: Session, changed: Sequence[PeriodJudgement]) -> Iterable[ExceedanceRow]:
    """The exceedances of every subject whose periods changed, made anew around those periods."""
    ordered = sorted(changed, key=_identity)
    for (furnace_id, rule, pollutant, averaging), group in groupby(ordered, key=lambda one: _identity(one)[:4]):
        periods = list(group)
        subject = Subject(furnace_id, rule, pollutant, averaging, periods[0].bound, periods[0].clause)
        yield from rebuild(session, subject, periods[0].start_ms, max(period.end_ms for period in periods))
