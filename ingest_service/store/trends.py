"""What was judged, as far as a reader may see: averaging periods with their verdicts, and exceedances."""

from typing import Any

import msgspec
from sqlalchemy import Select, and_, func, select

from ingest_service.emissions.averages import Averaging
from ingest_service.store.judged_tables import Exceedance, Judgement
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Furnace

PERIOD_KEY = ("furnace_id", "rule", "pollutant", "averaging", "start_ms", "revision")


class JudgedPeriod(msgspec.Struct, frozen=True):
    """The newest revision of one averaging period of one pollutant; `mean`, `peak` and `limit` are in `unit`."""

    furnace_id: int
    rule: str
    pollutant: str
    start_ms: int
    end_ms: int
    mean: float | None
    peak: float | None
    limit: float
    unit: str
    valid_minutes: int
    verdict: str
    cause: str
    revision: int
    revision_reason: str
    computed_at_ms: int
    averaging: str = "clock_hour"


class OverLimit(msgspec.Struct, frozen=True):
    """An exceedance: `mean` is its worst period mean, `peak` its worst minute, both in `unit`."""

    id: int
    home_id: str
    furnace_id: int
    furnace: str
    rule: str
    clause: str
    pollutant: str
    start_ms: int
    end_ms: int
    mean: float
    peak: float
    limit: float
    unit: str
    revision: int
    averaging: str = "clock_hour"
    bound: str = "at_most"


def judgements(reader: Reader, furnace_id: int, from_ms: int, to_ms: int, *averagings: Averaging) -> list[JudgedPeriod]:
    """The periods of a furnace that start in `[from_ms, to_ms)`, newest revision of each, by time and pollutant.

    Only those over one of `averagings`, where any are given.
    """
    newest = newest_revisions(furnace_id, from_ms, to_ms).subquery()
    query = (
        select(*columns(JudgedPeriod, Judgement))
        .join(Furnace, Furnace.id == Judgement.furnace_id)
        .join(newest, and_(*(getattr(Judgement, name) == newest.c[name] for name in PERIOD_KEY)))
        .where(reader.scope.admits(Furnace.home_id))
        .order_by(Judgement.start_ms, Judgement.pollutant, Judgement.rule)
    )
    if averagings:
        query = query.where(Judgement.averaging.in_([one.value for one in averagings]))
    return [JudgedPeriod(**row) for row in reader.rows(query)]


def judged_before(reader: Reader, furnace_id: int, at_ms: int) -> bool:
    """Whether any period of a furnace began before that time."""
    query = (
        select(Judgement.id)
        .join(Furnace, Furnace.id == Judgement.furnace_id)
        .where(reader.scope.admits(Furnace.home_id), Judgement.furnace_id == furnace_id, Judgement.start_ms < at_ms)
        .limit(1)
    )
    return bool(reader.rows(query))


def last_judged_ms(reader: Reader, furnace_id: int) -> int | None:
    """When anything of a furnace was judged last (ms since 1970 UTC); None where nothing ever was."""
    query = (
        select(func.max(Judgement.computed_at_ms).label("at_ms"))
        .join(Furnace, Furnace.id == Judgement.furnace_id)
        .where(reader.scope.admits(Furnace.home_id), Judgement.furnace_id == furnace_id)
    )
    at_ms: int | None = reader.rows(query)[0]["at_ms"]
    return at_ms


def exceedances(
    reader: Reader, home_id: str | None, furnace_id: int | None, from_ms: int, to_ms: int, limit: int
) -> list[OverLimit]:
    """At most `limit` exceedances that touch `[from_ms, to_ms)`, newest first."""
    query = (
        select(*columns(OverLimit, Exceedance, Furnace.home_id, Furnace.name.label("furnace")))
        .join(Furnace, Furnace.id == Exceedance.furnace_id)
        .where(reader.scope.admits(Furnace.home_id), Exceedance.start_ms < to_ms, Exceedance.end_ms > from_ms)
        .order_by(Exceedance.start_ms.desc(), Exceedance.id.desc())
        .limit(limit)
    )
    if home_id is not None:
        query = query.where(Furnace.home_id == home_id)
    if furnace_id is not None:
        query = query.where(Exceedance.furnace_id == furnace_id)
    return [OverLimit(**row) for row in reader.rows(query)]


def exceedance(reader: Reader, number: int) -> OverLimit | None:
    """That exceedance, or None where the reader sees none of that number."""
    query = (
        select(*columns(OverLimit, Exceedance, Furnace.home_id, Furnace.name.label("furnace")))
        .join(Furnace, Furnace.id == Exceedance.furnace_id)
        .where(reader.scope.admits(Furnace.home_id), Exceedance.id == number)
    )
    return next((OverLimit(**row) for row in reader.rows(query)), None)


def revisions(reader: Reader, furnace_id: int, from_ms: int, to_ms: int) -> list[JudgedPeriod]:
    """All records of the periods that were judged more than once, the first too, by time, pollutant and revision.

    Of those periods of the furnace that start in `[from_ms, to_ms)`.
    """
    again = newest_revisions(furnace_id, from_ms, to_ms).having(func.max(Judgement.revision) > 0).subquery()
    query = (
        select(*columns(JudgedPeriod, Judgement))
        .join(Furnace, Furnace.id == Judgement.furnace_id)
        .join(again, and_(*(getattr(Judgement, name) == again.c[name] for name in PERIOD_KEY if name != "revision")))
        .where(reader.scope.admits(Furnace.home_id))
        .order_by(Judgement.start_ms, Judgement.pollutant, Judgement.rule, Judgement.averaging, Judgement.revision)
    )
    return [JudgedPeriod(**row) for row in reader.rows(query)]


def newest_revisions(furnace_id: int, from_ms: int, to_ms: int) -> Select[*tuple[Any, ...]]:
    """The newest revision of every period of a furnace that starts in `[from_ms, to_ms)`."""
    period = [getattr(Judgement, name) for name in PERIOD_KEY if name != "revision"]
    return (
        select(*period, func.max(Judgement.revision).label("revision"))
        .where(Judgement.furnace_id == furnace_id, Judgement.start_ms >= from_ms, Judgement.start_ms < to_ms)
        .group_by(*period)
    )
