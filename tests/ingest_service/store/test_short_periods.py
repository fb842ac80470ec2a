"""Short means by the hour, from judgements in each kind of database."""

import msgspec
from sqlalchemy import Engine, select

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Verdict
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store.judgements import JudgementStore, PeriodJudgement
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.short_periods import ShortPeriods, short_periods
from ingest_service.store.tables import Furnace
from ingest_service.store.transaction import transaction

START = 495_000 * HOUR_MS + HOUR_MS // 2  # where the clock is half an hour off UTC's


def furnace_id(engine: Engine) -> int:
    with transaction(engine) as session:
        return session.scalars(select(Furnace.id).where(Furnace.home_id == "h1")).one()


def six_minutes(furnace: int, number: int, mean: float | None, verdict: Verdict = Verdict.WITHIN) -> PeriodJudgement:
    start_ms = START + number * 6 * MINUTE_MS
    return PeriodJudgement(
        furnace_id=furnace, rule="ny@1", pollutant=Pollutant.OPACITY, averaging=Averaging.SIX_MINUTES,
        bound=Bound.AT_MOST, start_ms=start_ms, end_ms=start_ms + 6 * MINUTE_MS, mean=mean, peak=mean, limit=20.0,
        unit="%", clause="219-4.4", valid_minutes=0 if mean is None else 6, verdict=verdict,
        cause="missing_values" if mean is None else "",
    )  # fmt: skip


def test_short_means_are_told_by_hour_and_verdict_in_their_newest_revision(engine: Engine) -> None:
    furnace, store = furnace_id(engine), JudgementStore(engine)
    first = [six_minutes(furnace, number, 2.0 + number) for number in range(10)]
    whole = msgspec.structs.replace(first[0], averaging=Averaging.CLOCK_HOUR, end_ms=START + HOUR_MS)
    store.record([*first, whole, six_minutes(furnace, 10, None, Verdict.INVALID)], START + HOUR_MS, "")
    store.record([six_minutes(furnace, 3, 33.0, Verdict.EXCEEDED)], START + 2 * HOUR_MS, "late_data")
    found = short_periods(Reader(engine, Scope()), furnace, START - HOUR_MS, START + 2 * HOUR_MS)
    about = ("ny@1", "opacity", "six_minutes", 20.0, "%")
    assert found == [
        ShortPeriods(START, *about, "exceeded", "", 1, 33.0, 33.0),
        ShortPeriods(START, *about, "within", "", 9, 2.0, 11.0),
        ShortPeriods(START + HOUR_MS, *about, "invalid", "missing_values", 1, None, None),
    ]


def test_short_means_of_other_homes_are_not_seen(engine: Engine) -> None:
    furnace = furnace_id(engine)
    JudgementStore(engine).record([six_minutes(furnace, 0, 2.0)], START + HOUR_MS, "")
    assert short_periods(Reader(engine, Scope(frozenset({"h2"}))), furnace, START, START + HOUR_MS) == []
