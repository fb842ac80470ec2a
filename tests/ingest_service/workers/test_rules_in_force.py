"""Rules of several countries, permits, marks and cremations on a real store: what is judged, when, and what is told."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sqlalchemy import select

from edge_agent.wire.durations import HOUR_MS
from ingest_service.alarms.facts import ExceedanceFacts, ShortfallFacts
from ingest_service.emissions.averages import Averaging, Window
from ingest_service.emissions.charging import Advice
from ingest_service.emissions.marks import CycleSpan, Marks, PlantState, no_cycles, no_marks
from ingest_service.emissions.pack import RulePack, Share
from ingest_service.emissions.rulebook import Assignment, RuleBook
from ingest_service.emissions.rulepack import load_pack
from ingest_service.emissions.vocabulary import PackKind
from ingest_service.store.judged_tables import Judgement
from ingest_service.store.marks import MarkedTime
from ingest_service.store.transaction import transaction
from ingest_service.workers.average import FurnaceHour
from ingest_service.workers.explaining import Explainer
from ingest_service.workers.judge import Why
from ingest_service.workers.plant_record import NothingSaid
from tests.ingest_service.emissions.gas import cycles, limit_over, pack_of
from tests.ingest_service.workers.city import CHANNELS, GAS, MINUTE, PACK, START, City

NORWAY, GERMANY = load_pack("no-pollution-regulations-10"), load_pack("de-27-bimschv")
NEW_YORK = load_pack("us-ny-6nycrr-219-4")
MANY = (*CHANNELS, "chamber2_temperature", "opacity")
HOT = {"chamber2_temperature": 900.0, "opacity": 3.0}
FAR_LATER = START + 60 * HOUR_MS


class Plant:
    """What a test says of a plant."""

    def __init__(self) -> None:
        self.said_marks, self.said_cycles = no_marks(), no_cycles()

    def marks(self, from_ms: int, to_ms: int) -> Marks:
        found = (self.said_marks.start_ms < to_ms) & (self.said_marks.end_ms > from_ms)
        columns = [getattr(self.said_marks, name)[found] for name in Marks.__struct_fields__]
        return Marks(*columns)

    def cycles(self, from_ms: int, to_ms: int) -> CycleSpan:
        found = (self.said_cycles.start_ms < to_ms) & (self.said_cycles.end_ms > from_ms)
        columns = [getattr(self.said_cycles, name)[found] for name in CycleSpan.__struct_fields__]
        return CycleSpan(*columns)

    def marked_since(self, _at_ms: int) -> tuple[MarkedTime, ...]:
        return ()


class Judged(msgspec.Struct, frozen=True):
    """A judgement as a test reads it: minutes since START."""

    rule: str
    pollutant: str
    averaging: str
    start: int
    end: int
    verdict: str
    cause: str
    mean: float | None
    revision: int
    reason: str


def judged(city: City, averaging: Averaging | None = None, pollutant: str = "co") -> list[Judged]:
    """Every revision, by time."""
    order = (Judgement.rule, Judgement.averaging, Judgement.pollutant, Judgement.start_ms, Judgement.revision)
    with transaction(city.engine) as session:
        rows = session.scalars(select(Judgement).where(Judgement.furnace_id == 1).order_by(*order)).all()
        return [
            Judged(
                row.rule.partition("@")[0], row.pollutant, row.averaging, (row.start_ms - START) // MINUTE,
                (row.end_ms - START) // MINUTE, row.verdict, row.cause,
                None if row.mean is None else round(row.mean, 6), row.revision, row.revision_reason,
            )
            for row in rows
            if row.pollutant == pollutant and averaging in (None, row.averaging)
        ]  # fmt: skip


@pytest.fixture
def plant() -> Plant:
    return Plant()


class Opening:
    """Makes cities and closes them."""

    def __init__(self, folder: Path, plant: Plant) -> None:
        self._folder, self._plant, self._open = folder, plant, list[City]()

    def __call__(self, *packs: RulePack, book: RuleBook | None = None, furnaces: int = 1) -> City:
        folder = self._folder / f"city{len(self._open)}"
        self._open.append(City(folder, furnaces, MANY, book or RuleBook(packs), self._plant))
        return self._open[-1]

    def close(self) -> None:
        for city in self._open:
            city.close()


@pytest.fixture
def opened(tmp_path: Path, plant: Plant) -> Iterator[Opening]:
    opening = Opening(tmp_path, plant)
    yield opening
    opening.close()


def live(city: City, from_ms: int, to_ms: int, changes: Mapping[str, float] = {}, every: int = 5) -> None:
    """`every` minutes at a time: feed, average, judge, as it happens."""
    for at_ms in range(from_ms, to_ms, every * MINUTE):
        city.feed(1, at_ms, at_ms + every * MINUTE, {**HOT, **changes})
        for seconds in (6, 8, 20, 50):
            city.average.step(at_ms + every * MINUTE + seconds * 1000)
            city.judge.step(at_ms + every * MINUTE + seconds * 1000)


def test_a_ten_minute_mean_is_judged_and_alarmed_while_its_hour_still_runs(opened: Opening) -> None:
    city = opened(NORWAY)
    city.judge.step(START)
    live(city, START, START + 10 * MINUTE)
    live(city, START + 10 * MINUTE, START + 20 * MINUTE, {"co": 160.0})  # 200 at reference oxygen
    found = judged(city, Averaging.TEN_MINUTES)
    assert [(row.start, row.verdict, row.mean) for row in found] == [(0, "within", 50.0), (10, "exceeded", 200.0)]
    (alarm,) = city.alarms.open()
    assert isinstance(alarm.facts, ExceedanceFacts)
    assert (alarm.facts.averaging, alarm.facts.limit) == ("ten_minutes", 150.0)
    assert alarm.alarm.noticed_at_ms <= START + 21 * MINUTE
    assert judged(city, Averaging.CLOCK_HOUR) == []


def test_both_limits_of_one_pollutant_are_judged_and_alarmed_each(opened: Opening) -> None:
    city = opened(NORWAY)
    city.feed(1, START, START + HOUR_MS, {**HOT, "co": 160.0})
    city.settle(FAR_LATER)
    assert [row.verdict for row in judged(city, Averaging.CLOCK_HOUR) if row.start == 0] == ["exceeded"]
    assert [row.verdict for row in judged(city, Averaging.TEN_MINUTES) if row.start < 60] == ["exceeded"] * 6
    exceedances = city.judgements.exceedances(START)
    assert {(row.averaging, (row.end_ms - row.start_ms) // MINUTE) for row in exceedances} == {
        (Averaging.CLOCK_HOUR, 60),
        (Averaging.TEN_MINUTES, 60),
    }
    assert len(city.alarms.open()) == 2


def test_late_data_revise_the_short_periods_they_touch_and_no_others(opened: Opening) -> None:
    city = opened(NORWAY)
    city.feed(1, START, START + HOUR_MS, HOT)
    city.settle(START + 2 * HOUR_MS)
    city.feed(1, START + 20 * MINUTE + 5_000, START + 30 * MINUTE, {**HOT, "co": 400.0})
    city.settle(START + 3 * HOUR_MS)
    revised = [row for row in judged(city, Averaging.TEN_MINUTES) if row.revision]
    assert [(row.start, row.verdict, row.reason) for row in revised] == [(20, "exceeded", "late_data")]


def test_a_secondary_chamber_below_its_minimum_is_a_shortfall(opened: Opening) -> None:
    city = opened(GERMANY)
    city.feed(1, START, START + 30 * MINUTE, HOT)
    city.feed(1, START + 30 * MINUTE, START + HOUR_MS, {**HOT, "chamber2_temperature": 820.0})
    city.settle(FAR_LATER)
    found = judged(city, Averaging.TEN_MINUTES, "chamber2_temperature")
    assert [row.verdict for row in found if row.start < 60] == ["within"] * 3 + ["exceeded"] * 3
    facts = [alarm.facts for alarm in city.alarms.open() if isinstance(alarm.facts, ShortfallFacts)]
    assert [(one.mean, one.lowest, one.limit, one.unit) for one in facts] == [(820.0, 820.0, 850.0, "°C")]


def test_new_york_judges_opacity_and_temperature_in_its_own_units_without_any_oxygen(
    tmp_path: Path, plant: Plant
) -> None:
    city = City(tmp_path / "ny", 1, ("phase", "opacity", "chamber2_temperature"), RuleBook((NEW_YORK,)), plant)
    city.feed(1, START, START + HOUR_MS, {"opacity": 10.0, "chamber2_temperature": 875.0})
    city.settle(FAR_LATER)
    opacity = judged(city, Averaging.SIX_MINUTES, "opacity")
    assert [row.verdict for row in opacity if row.start < 60] == ["exceeded"] * 10
    (heat,) = [row for row in judged(city, pollutant="chamber2_temperature") if row.start == 0]
    assert (heat.verdict, heat.mean) == ("within", 1607.0)
    city.close()


@pytest.mark.parametrize(
    ("left_out", "cause"), [("flue_o2", "no_o2"), ("co", "no_channel")], ids=["without oxygen", "without the analyser"]
)
def test_a_furnace_without_the_channels_that_a_rule_needs_is_not_judged_never_compliant(
    tmp_path: Path, plant: Plant, left_out: str, cause: str
) -> None:
    channels = [name for name in CHANNELS if name != left_out]
    city = City(tmp_path / "poor", 1, channels, RuleBook((NORWAY,)), plant)
    city.feed(1, START, START + HOUR_MS)
    city.settle(FAR_LATER)
    assert {(row.verdict, row.cause) for row in judged(city)} == {("not_judged", cause)}
    city.close()


def permit(hcl: float) -> RulePack:
    own = tuple(msgspec.structs.replace(one, limit=hcl) for one in PACK.limit if one.pollutant == "hcl")
    return msgspec.structs.replace(PACK, id="permit", kind=PackKind.PERMIT, limit=own)


@pytest.mark.parametrize(("hcl", "verdicts"), [(20.0, {"within", "exceeded"}), (32.0, {"exceeded"})])
def test_law_and_permit_are_both_judged_and_the_stricter_alone_calls_people(
    opened: Opening, hcl: float, verdicts: set[str]
) -> None:
    city = opened(PACK, permit(20.0))
    city.feed(1, START, START + HOUR_MS, {**HOT, "hcl": hcl})  # 25, or 40, at reference oxygen
    city.settle(FAR_LATER)
    found = [row for row in judged(city, pollutant="hcl") if row.start == 0]
    assert {row.rule for row in found} == {"gb13801-2015-table2", "permit"}
    assert {row.verdict for row in found} == verdicts
    (alarm,) = city.alarms.open()
    assert isinstance(alarm.facts, ExceedanceFacts)
    assert alarm.facts.rule == "permit@1"


def test_a_version_is_applied_on_its_days_alone(opened: Opening) -> None:
    started = date(2026, 6, 21)  # START is 2026-06-21 08:00 in Shanghai
    old = msgspec.structs.replace(PACK, version="0", valid_to=date(2026, 6, 20))
    city = opened(old, msgspec.structs.replace(PACK, version="1", valid_from=started))
    city.feed(1, START - 10 * HOUR_MS, START + HOUR_MS, HOT)
    city.settle(FAR_LATER)
    with transaction(city.engine) as session:
        rules = {row.start_ms: row.rule for row in session.scalars(select(Judgement))}
    midnight = START - 8 * HOUR_MS
    assert {rule for start, rule in rules.items() if start < midnight} == {"gb13801-2015-table2@0"}
    assert {rule for start, rule in rules.items() if start >= midnight} == {"gb13801-2015-table2@1"}


def test_furnaces_of_one_home_can_be_under_different_rules(opened: Opening) -> None:
    book = RuleBook((PACK,), (Assignment("h1", "f2", (NORWAY,)),))
    city = opened(book=book, furnaces=2)
    for furnace in (1, 2):
        city.feed(furnace, START, START + HOUR_MS, HOT)
    city.settle(FAR_LATER)
    with transaction(city.engine) as session:
        found = {(row.furnace_id, row.rule) for row in session.scalars(select(Judgement))}
    assert found == {(1, "gb13801-2015-table2@1"), (2, "no-pollution-regulations-10@1")}


def marked(start: int, end: int, state: PlantState) -> Marks:
    column = [np.array([value], np.int64) for value in (1, START + start * MINUTE, START + end * MINUTE, state)]
    return Marks(*column)


@pytest.mark.parametrize(
    ("end", "verdict", "cause", "mean"),
    [(15, "within", "", 50.0), (20, "invalid", "marked", None), (60, "invalid", "marked", None)],
)
def test_minutes_that_an_operator_marked_do_not_count(
    opened: Opening, plant: Plant, end: int, verdict: str, cause: str, mean: float | None
) -> None:
    plant.said_marks = marked(0, end, PlantState.CALIBRATION)
    city = opened(PACK)
    city.feed(1, START, START + end * MINUTE, {**HOT, "co": 900.0})
    city.feed(1, START + end * MINUTE, START + HOUR_MS, HOT) if end < 60 else None
    city.settle(FAR_LATER)
    (row,) = [row for row in judged(city) if row.start == 0]
    assert (row.verdict, row.cause, row.mean) == (verdict, cause, mean)


def test_a_mark_that_is_entered_later_revises_the_hour_and_says_so(opened: Opening, plant: Plant) -> None:
    city = opened(PACK)
    city.feed(1, START, START + 15 * MINUTE, {**HOT, "co": 900.0})
    city.feed(1, START + 15 * MINUTE, START + HOUR_MS, HOT)
    city.settle(START + 2 * HOUR_MS)
    plant.said_marks = marked(0, 15, PlantState.MAINTENANCE)
    city.judge.reopen([FurnaceHour(1, START)], Why.MARKS, START + 2 * HOUR_MS + 60_000)
    city.settle(START + 2 * HOUR_MS + 120_000)
    found = [(row.revision, row.verdict, row.mean, row.reason) for row in judged(city) if row.start == 0]
    assert [found[0][1], found[1]] == ["exceeded", (1, "within", 50.0, "marks")]
    assert city.judgements.exceedances(START) == ()


EVERY_KIND = pack_of(
    *(limit_over(kind, 60.0) for kind in Averaging if kind is not Averaging.SHARE_OF_CREMATIONS),
    limit_over(
        Averaging.SHARE_OF_CREMATIONS, 60.0, share=Share(at_least_pct=95.0, of=Window.MONTH, each=Averaging.CREMATION)
    ),
)


def test_replayed_at_once_every_kind_of_mean_is_what_it_was_live(opened: Opening, plant: Plant) -> None:
    plant.said_cycles = cycles((1, START + 7 * MINUTE, START + 80 * MINUTE))
    lived, played = opened(EVERY_KIND), opened(EVERY_KIND)
    lived.judge.step(START)
    for part in range(0, 120, 20):
        changes = {"co": 30.0 + part % 50}
        live(lived, START + part * MINUTE, START + (part + 20) * MINUTE, changes, every=20)
        played.feed(1, START + part * MINUTE, START + (part + 20) * MINUTE, {**HOT, **changes})
    for city in (lived, played):
        city.settle(START + 3 * HOUR_MS)
    newest = [{(row.averaging, row.start): (row.verdict, row.mean, row.end) for row in judged(city)
               if row.end <= 120} for city in (lived, played)]  # fmt: skip
    assert newest[0] == newest[1]
    kinds = {kind for kind, _ in newest[0]}
    assert kinds >= set(Averaging) - {Averaging.DAY, Averaging.OPERATING_DAY, Averaging.MONTH,
                                      Averaging.SHARE_OF_CREMATIONS}  # fmt: skip


def test_a_day_is_judged_once_it_is_over_and_revised_by_late_data(opened: Opening) -> None:
    daily = pack_of(limit_over(Averaging.OPERATING_DAY, 60.0))
    city = opened(daily)
    midnight = START + 16 * HOUR_MS
    city.feed(1, midnight - 2 * HOUR_MS, midnight - HOUR_MS, HOT)
    city.settle(midnight - HOUR_MS // 2)
    assert judged(city) == []
    city.settle(midnight + HOUR_MS)
    first = judged(city)
    assert [(row.end, row.verdict, row.cause) for row in first] == [(16 * 60, "invalid", "missing_values")]
    city.feed(1, midnight - 24 * HOUR_MS, midnight - 2 * HOUR_MS, HOT)
    city.settle(midnight + 2 * HOUR_MS)
    newest = [row for row in judged(city) if row.end == 16 * 60][-1]
    assert (newest.verdict, newest.mean, newest.revision, newest.reason) == ("within", 50.0, 1, "late_data")


def test_a_cremation_is_judged_when_it_is_over_and_taken_back_when_it_began_at_another_time(
    opened: Opening, plant: Plant
) -> None:
    city = opened(pack_of(limit_over(Averaging.CREMATION, 60.0)))
    city.feed(1, START, START + 2 * HOUR_MS, {**HOT, "co": 80.0})
    city.settle(START + 3 * HOUR_MS)
    assert judged(city) == []
    plant.said_cycles = cycles((1, START + 10 * MINUTE, START + 70 * MINUTE))
    city.feed(1, START + 5_000, START + MINUTE, {**HOT, "co": 80.0})
    city.settle(START + 4 * HOUR_MS)
    assert [(row.start, row.end, row.verdict, row.mean) for row in judged(city)] == [(10, 70, "exceeded", 100.0)]
    assert len(city.judgements.exceedances(START)) == 1
    plant.said_cycles = cycles((1, START + 12 * MINUTE, START + 70 * MINUTE))
    city.feed(1, START + 6_000, START + MINUTE, {**HOT, "co": 80.0})
    city.settle(START + 5 * HOUR_MS)
    found = [(row.start, row.revision, row.verdict, row.cause) for row in judged(city)]
    assert found == [
        (10, 0, "exceeded", ""),
        (10, 1, "not_judged", "no_cremation"),
        (12, 0, "exceeded", ""),
    ]
    (one,) = city.judgements.exceedances(START)
    assert one.start_ms == START + 12 * MINUTE


def test_the_running_hour_says_when_it_will_exceed(opened: Opening) -> None:
    city = opened(PACK)
    city.judge.step(START)
    live(city, START, START + 10 * MINUTE)
    live(city, START + 10 * MINUTE, START + 20 * MINUTE, {"co": 400.0})  # 500 at reference oxygen
    (preview,) = [one for one in city.judge.previews() if one.pollutant == "co"]
    left = 60 * 150.0 - (10 * 50.0 + 10 * 500.0)
    assert preview.exceeds_at_ms == pytest.approx(START + 20 * MINUTE + left / 500.0 * MINUTE, abs=MINUTE)
    assert preview.forecast_mean is not None
    assert preview.forecast_mean > 150.0


@pytest.mark.parametrize(("heat", "advice"), [(900.0, Advice.MAY_CHARGE), (800.0, Advice.DO_NOT_CHARGE)])
def test_a_cold_secondary_chamber_is_not_to_be_charged(opened: Opening, heat: float, advice: Advice) -> None:
    city = opened(GERMANY)
    city.judge.step(START)
    live(city, START, START + 15 * MINUTE, {"chamber2_temperature": heat})
    (found,) = city.judge.advice()
    assert (found.furnace_id, found.advice, found.mean_c, found.least_c) == (1, advice, heat, 850.0)
    assert "section 3 (3)" in found.clause_en


def test_an_explanation_agrees_with_what_was_recorded(opened: Opening) -> None:
    city = opened(NORWAY)
    city.feed(1, START, START + HOUR_MS, HOT)
    city.settle(START + 2 * HOUR_MS)
    city.feed(1, START + 20 * MINUTE + 5_000, START + 30 * MINUTE, {**HOT, "co": 400.0})
    city.settle(START + 3 * HOUR_MS)
    explainer = Explainer(city.store, city.judgements, city.site, NothingSaid())
    co = NORWAY.limit[0].pollutant
    told = {one.averaging: one for one in explainer.explain(city.channels(), 1, co, START + 25 * MINUTE)}
    short = told[Averaging.TEN_MINUTES]
    assert ((short.start_ms - START) // MINUTE, short.verdict, len(short.minutes)) == (20, "exceeded", 10)
    assert [(one.revision, one.reason, one.verdict) for one in short.revisions] == [
        (0, "", "within"),
        (1, "late_data", "exceeded"),
    ]
    assert short.revisions[-1].mean == pytest.approx(short.mean)
    hour = told[Averaging.CLOCK_HOUR]
    assert hour.minutes[0].measured == GAS["co"]
    assert hour.minutes[0].judged == pytest.approx(50.0)
    assert hour.conversion.startswith("c(dry")
