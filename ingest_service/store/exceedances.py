"""Exceedances: runs of periods beyond a limit, always what the newest revisions of the judgements add up to."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Verdict
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store.judged_tables import Exceedance, Judgement


class Subject(msgspec.Struct, frozen=True):
    """What is judged: one pollutant of one furnace over one averaging under one rule, and the clause to cite."""

    furnace_id: int
    rule: str
    pollutant: str
    averaging: str
    bound: Bound
    clause: str


class ExceedanceRow(msgspec.Struct, frozen=True):
    """A run of periods beyond a limit. `mean` is the worst period mean, `peak` the worst minute, both in `unit`."""

    id: int
    furnace_id: int
    rule: str
    clause: str
    pollutant: Pollutant
    averaging: Averaging
    bound: Bound
    start_ms: int
    end_ms: int
    mean: float
    peak: float
    limit: float
    unit: str
    revision: int

    @classmethod
    def of(cls, row: Exceedance) -> "ExceedanceRow":
        """The stored row."""
        return msgspec.convert(row, cls, from_attributes=True)


def rebuild(session: Session, subject: Subject, from_ms: int, to_ms: int) -> list[ExceedanceRow]:
    """Bring the exceedances that touch `[from_ms, to_ms]` in line with the judgements; return them as they are now.

    A run keeps its row, with a new revision, while it overlaps what it was; the judgements keep the history.
    """
    standing = list(session.scalars(_touching(subject, from_ms, to_ms)))
    from_ms = min([from_ms, *(row.start_ms for row in standing)])
    to_ms = max([to_ms, *(row.end_ms for row in standing)])
    runs = list(_runs(_exceeded_periods(session, subject, from_ms, to_ms)))
    kept = [(run, _take(standing, run)) for run in runs]
    for row in standing:
        session.delete(row)
    session.flush()
    rows = [_write(row or Exceedance(revision=-1), subject, run) for run, row in kept]
    session.add_all(rows)
    session.flush()
    return [ExceedanceRow.of(row) for row in rows]


def _touching(subject: Subject, from_ms: int, to_ms: int) -> Select[Exceedance]:
    return (
        select(Exceedance)
        .where(
            Exceedance.furnace_id == subject.furnace_id,
            Exceedance.rule == subject.rule,
            Exceedance.pollutant == subject.pollutant,
            Exceedance.averaging == subject.averaging,
            Exceedance.start_ms <= to_ms,
            Exceedance.end_ms >= from_ms,
        )
        .order_by(Exceedance.start_ms)
    )


def _exceeded_periods(session: Session, subject: Subject, from_ms: int, to_ms: int) -> list[Judgement]:
    """The exceeded periods that begin in `[from_ms, to_ms)`, by their newest revision, in order."""
    query = (
        select(Judgement)
        .where(
            Judgement.furnace_id == subject.furnace_id,
            Judgement.rule == subject.rule,
            Judgement.pollutant == subject.pollutant,
            Judgement.averaging == subject.averaging,
            Judgement.start_ms >= from_ms,
            Judgement.start_ms < to_ms,
        )
        .order_by(Judgement.start_ms, Judgement.revision)
    )
    newest = {row.start_ms: row for row in session.scalars(query)}
    return [row for row in newest.values() if row.verdict == Verdict.EXCEEDED.label]


def _runs(periods: Sequence[Judgement]) -> Iterator[list[Judgement]]:
    """Periods that follow each other without a gap; those of a rolling mean overlap."""
    run: list[Judgement] = []
    for period in periods:
        if run and period.start_ms > run[-1].end_ms:
            yield run
            run = []
        run.append(period)
    if run:
        yield run


def _take(standing: list[Exceedance], run: list[Judgement]) -> Exceedance | None:
    """The first standing row that overlaps the run, taken from the list."""
    for row in standing:
        if row.start_ms < run[-1].end_ms and run[0].start_ms < row.end_ms:
            standing.remove(row)
            return row
    return None


def _write(row: Exceedance, subject: Subject, run: list[Judgement]) -> Exceedance:
    """The run in the row; nothing is touched, and no revision counted, where nothing changed."""
    worst = min if subject.bound is Bound.AT_LEAST else max
    figures = {
        "furnace_id": subject.furnace_id,
        "rule": subject.rule,
        "clause": subject.clause,
        "pollutant": subject.pollutant,
        "averaging": subject.averaging,
        "bound": subject.bound.value,
        "start_ms": run[0].start_ms,
        "end_ms": run[-1].end_ms,
        "mean": worst(period.mean or 0.0 for period in run),
        "peak": worst(period.peak or 0.0 for period in run),
        "limit": run[-1].limit,
        "unit": run[-1].unit,
    }
    if any(getattr(row, name, None) != value for name, value in figures.items()):
        row.revision = (-1 if row.revision is None else row.revision) + 1
        for name, value in figures.items():
            setattr(row, name, value)
    return row
