"""What furnaces are expected to show, and what is told of those that do not, on real stores."""

import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.simulator.truth import TrueCycle, true_cycles
from ingest_service.alarms.facts import DeviceBadFacts, Name, UnusualFacts
from ingest_service.alarms.lifecycle import Condition, Place
from ingest_service.alarms.vocabulary import Kind, Severity, State
from ingest_service.anomaly.baseline import FEWEST, HeldBack
from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.columns import Float64s
from ingest_service.cycles.cycle import Cycle, FoundBy
from ingest_service.emissions.marks import PlantState
from ingest_service.errors import StoreError
from ingest_service.store.alarms import AlarmRow
from ingest_service.store.audit import AuditTrail
from ingest_service.store.batch import MeanBatch, empty_means, no_minutes
from ingest_service.store.cycles import CycleStore
from ingest_service.store.derived.embedded import EmbeddedDerived
from ingest_service.store.derived.point import DerivedColumn
from ingest_service.store.doing import Doing
from ingest_service.store.lessons import Lesson, LessonStore
from ingest_service.store.marks import Act, MarkEntry, MarkStore
from ingest_service.store.tables import Furnace, Series, Source
from ingest_service.workers import lessons as learning
from ingest_service.workers.expect import MEANS_AFTER_MS, ExpectWorker
from ingest_service.workers.lessons import Lessons
from tests.ingest_service.workers.city import MINUTE, START, City

SHOWN = ("phase", *QUANTITIES)
HOURS = 15
STEP_MS = 10_000
AFTER = MEANS_AFTER_MS + 1_000
PEOPLE = Doing("王建国", "检修", START)
T2 = "chamber2_temperature"


class Minutes(msgspec.Struct, frozen=True):
    """(shown, minutes) means, lowest and highest values."""

    mean: Float64s
    low: Float64s
    high: Float64s


@cache
def minutes(index: int) -> Minutes:
    """What a simulated furnace shows that burns all day."""
    model = FurnaceModel(5, index, Schedule(Rhythm.ALWAYS_BURNING))
    states = [model.at(at_ms) for at_ms in range(START, START + HOURS * 60 * MINUTE, STEP_MS)]
    shown = np.array([[getattr(state, name) for state in states] for name in SHOWN], np.float64)
    blocks = shown.reshape(len(SHOWN), HOURS * 60, -1)
    return Minutes(blocks.mean(axis=2), blocks.min(axis=2), blocks.max(axis=2))


@cache
def truth(index: int) -> tuple[TrueCycle, ...]:
    """Its cremations, all seen from the beginning."""
    model = FurnaceModel(5, index, Schedule(Rhythm.ALWAYS_BURNING))
    every = true_cycles(model, index, START, START + HOURS * 60 * MINUTE)
    return tuple(one for one in every if one.from_ms > START and one.to_ms < START + HOURS * 60 * MINUTE)


class Plant:
    """A city whose furnaces burn, the minutes and cremations of which come as the test says."""

    def __init__(self, folder: Path) -> None:
        self.city = City(folder, furnaces=2, channels=SHOWN)
        self.derived = EmbeddedDerived(folder / "derived")
        self.cycles, self.lessons = CycleStore(self.city.engine), LessonStore(self.city.engine)
        self.marks = MarkStore(self.city.engine, AuditTrail(self.city.engine, folder / "head"))
        self.start()

    def start(self) -> None:
        """As a process that has just started."""
        city = self.city
        lessons = Lessons(city.store, self.lessons, self.marks.standing)
        self.worker = ExpectWorker(city.store, city.channels, city.alarms, self.derived, lessons, lambda: 0)

    def close(self) -> None:
        self.derived.close()
        self.city.close()

    def show(self, furnace: int, from_ms: int, to_ms: int, **changes: float) -> None:
        """Write minutes, with an offset to some quantities."""
        whole, first, last = minutes(furnace), (from_ms - START) // MINUTE, (to_ms - START) // MINUTE
        ids = np.array([self.city.series(furnace, name) for name in SHOWN], np.int32)
        offset = np.array([changes.get(name, 0.0) for name in SHOWN])[:, None]
        mean, low, high = ((one[:, first:last] + offset).ravel() for one in (whole.mean, whole.low, whole.high))
        starts, covered = np.tile(START + MINUTE * np.arange(first, last), len(SHOWN)), np.ones(len(mean), np.float32)
        batch = MeanBatch(np.repeat(ids, last - first), starts, mean, low, high, covered)
        self.city.store.write_means(batch, empty_means(), no_minutes())

    def end(self, furnace: int, *cremations: TrueCycle) -> None:
        """The cremations are found."""
        for one in cremations:
            found = [cycle(furnace, one)]
            self.cycles.record(furnace, found[0].charge_ms, found[0].charge_ms + 1, found, one.to_ms)

    def live_through(self, furnace: int, cremations: Sequence[TrueCycle], **changes: float) -> None:
        """Show each cremation, and let it be found and learnt from."""
        for one in cremations:
            from_ms, to_ms = one.from_ms // MINUTE * MINUTE, (one.to_ms // MINUTE + 1) * MINUTE
            self.show(furnace, from_ms, to_ms, **changes)
            self.end(furnace, one)
            self.worker.step(to_ms + AFTER)

    def watch(self, furnace: int, from_ms: int, to_ms: int, **changes: float) -> None:
        """Show minute after minute, each looked at when it has ended."""
        for at_ms in range(from_ms // MINUTE * MINUTE, to_ms, MINUTE):
            self.show(furnace, at_ms, at_ms + MINUTE, **changes)
            self.worker.step(at_ms + MINUTE + AFTER)

    def begin(self, furnace: int, one: TrueCycle, until_ms: int) -> None:
        """Show a cremation from its beginning; nobody looks yet."""
        self.show(furnace, one.from_ms // MINUTE * MINUTE, until_ms // MINUTE * MINUTE)

    def expected(self, furnace: int, bound: str, from_ms: int = 0, to_ms: int = START * 2) -> dict[str, DerivedColumn]:
        """By quantity, what was said of a furnace."""
        columns = self.derived.read(f"expected_{bound}", lambda tags: tags["furnace"] == f"f{furnace}", from_ms, to_ms)
        assert all(dict(one.tags) == {"home": "h1", "furnace": f"f{furnace}"} for one in columns)
        return {one.field: one for one in columns}

    def told(self) -> list[AlarmRow]:
        return [row for row in self.city.alarms.open() if row.alarm.kind is Kind.UNUSUAL]

    def own(self, furnace: int = 1) -> list[Lesson]:
        return self.lessons.of_furnaces([furnace])[furnace]


def cycle(furnace: int, one: TrueCycle) -> Cycle:
    begins = {phase.phase: phase.from_ms for phase in one.phases}
    return Cycle(
        furnace_id=furnace, case_number=f"c{one.cremation}", found_by=FoundBy.PHASE, start_ms=one.from_ms,
        charge_ms=begins["charge"], ignition_ms=begins["ignition"], main_ms=begins["main"],
        burnout_ms=begins["burnout"], cooling_ms=begins["cooling"], end_ms=one.to_ms, chamber2_limit_c=850.0,
        co2_kg_per_m3=2.0,
    )  # fmt: skip


def main_of(one: TrueCycle) -> int:
    """The first whole minute of its main combustion, ms."""
    begins_ms = next(phase.from_ms for phase in one.phases if phase.phase == "main")
    return -(-begins_ms // MINUTE) * MINUTE


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands on the disk when the first furnace has burned often enough to be known."""
    folder = tmp_path_factory.mktemp("past") / "plant"
    made = Plant(folder)
    made.live_through(1, truth(1)[:FEWEST])
    assert made.expected(1, "low") == {}, "nothing is expected before"
    made.close()
    return folder


@pytest.fixture
def plant(past: Path, tmp_path: Path) -> Iterator[Plant]:
    shutil.copytree(past, tmp_path / "plant")
    made = Plant(tmp_path / "plant")
    yield made
    made.close()


def test_what_is_expected_is_what_the_furnace_has_shown(plant: Plant) -> None:
    one, main_ms = truth(1)[FEWEST], main_of(truth(1)[FEWEST])
    plant.begin(1, one, main_ms)
    plant.watch(1, main_ms, main_ms + 20 * MINUTE)
    low, high = plant.expected(1, "low"), plant.expected(1, "high")
    assert set(low) == set(high) == set(QUANTITIES)
    for name in QUANTITIES:
        assert low[name].at_ms[-20:].tolist() == list(range(main_ms, main_ms + 20 * MINUTE, MINUTE))
        shown = minutes(1).mean[SHOWN.index(name), (low[name].at_ms - START) // MINUTE]
        assert (low[name].value < shown).mean() > 0.9
        assert (high[name].value > shown).mean() > 0.9
    assert plant.told() == []


def test_furnaces_are_expected_to_be_like_themselves(plant: Plant) -> None:
    other = truth(2)[0]
    plant.begin(2, other, main_of(other))
    plant.watch(2, main_of(other), main_of(other) + 3 * MINUTE)
    assert plant.expected(2, "low") == {}


def test_a_weak_burner_is_told_of_after_minutes_with_what_was_expected_and_clears(plant: Plant) -> None:
    one = truth(1)[FEWEST]
    onset_ms = main_of(one) + 5 * MINUTE
    plant.begin(1, one, onset_ms)
    plant.watch(1, onset_ms, onset_ms + 4 * MINUTE, **{T2: -80.0})
    assert plant.told() == []
    plant.watch(1, onset_ms + 4 * MINUTE, onset_ms + 6 * MINUTE, **{T2: -80.0})
    (row,) = plant.told()
    facts = row.facts
    assert isinstance(facts, UnusualFacts)
    assert (row.alarm.severity, row.alarm.place.series_id) == (Severity.LOW, plant.city.series(1, T2))
    assert (facts.phase, facts.channel.en, facts.minutes) == ("main", "Secondary chamber temperature", 5)
    assert facts.value < facts.low < facts.high
    assert facts.score > facts.threshold
    assert row.alarm.raised_at_ms == onset_ms
    plant.watch(1, onset_ms + 6 * MINUTE, onset_ms + 10 * MINUTE)
    assert [row.state for row in plant.told()] == [State.ACTIVE_UNACKNOWLEDGED]
    plant.watch(1, onset_ms + 10 * MINUTE, onset_ms + 11 * MINUTE)
    assert [row.state for row in plant.told()] == [State.CLEARED_UNACKNOWLEDGED]


def test_what_was_unusual_to_the_end_of_a_cremation_ends_when_the_fire_is_out(plant: Plant) -> None:
    one = truth(1)[FEWEST]
    burnt_ms = next(phase.from_ms for phase in one.phases if phase.phase == "cooling")
    onset_ms = burnt_ms // MINUTE * MINUTE - 10 * MINUTE
    plant.begin(1, one, onset_ms)
    plant.watch(1, onset_ms, burnt_ms, **{T2: -250.0})
    (row,) = plant.told()
    assert row.state is State.ACTIVE_UNACKNOWLEDGED
    plant.watch(1, burnt_ms // MINUTE * MINUTE + MINUTE, burnt_ms + 4 * MINUTE, **{T2: -250.0})
    assert [row.state for row in plant.told()] == [State.CLEARED_UNACKNOWLEDGED]


def test_what_a_person_has_marked_is_not_told_of(plant: Plant) -> None:
    one = truth(1)[FEWEST]
    onset_ms = main_of(one) + 5 * MINUTE
    mark = MarkEntry(furnace_id=1, state=PlantState.MAINTENANCE, start_ms=onset_ms, end_ms=onset_ms + 6 * MINUTE)
    plant.marks.enter(mark, PEOPLE)
    plant.begin(1, one, onset_ms)
    plant.watch(1, onset_ms, onset_ms + 10 * MINUTE, **{T2: -80.0})
    assert plant.told() == []
    plant.watch(1, onset_ms + 10 * MINUTE, onset_ms + 11 * MINUTE, **{T2: -80.0})
    assert [row.alarm.raised_at_ms for row in plant.told()] == [onset_ms + 6 * MINUTE]


def test_a_process_that_starts_anew_says_the_same_and_learns_from_none_twice(plant: Plant) -> None:
    one, main_ms = truth(1)[FEWEST], main_of(truth(1)[FEWEST])
    plant.begin(1, one, main_ms)
    plant.watch(1, main_ms, main_ms + 10 * MINUTE)
    before = plant.expected(1, "low")
    plant.start()
    plant.watch(1, main_ms + 10 * MINUTE, main_ms + 11 * MINUTE)
    after = plant.expected(1, "low")
    for name in QUANTITIES:
        assert after[name].at_ms[-1] == main_ms + 10 * MINUTE
        assert after[name].value[:-1].tolist() == before[name].value.tolist()
    assert len(plant.own()) == FEWEST
    assert plant.worker.step(main_ms + 11 * MINUTE + AFTER + 10_000) == 0


def test_what_comes_late_is_told_of_as_if_it_had_come_in_time(plant: Plant, past: Path, tmp_path: Path) -> None:
    one, main_ms = truth(1)[FEWEST], main_of(truth(1)[FEWEST])
    plant.begin(1, one, main_ms)
    plant.watch(1, main_ms, main_ms + 10 * MINUTE)
    in_time = {bound: plant.expected(1, bound) for bound in ("low", "high")}
    shutil.copytree(past, tmp_path / "late")
    late = Plant(tmp_path / "late")
    late.begin(1, one, one.to_ms)
    late.end(1, one)
    late.worker.step(one.to_ms + 300 * MINUTE)
    for bound, columns in in_time.items():
        found = late.expected(1, bound)
        for name, column in columns.items():
            same = np.isin(found[name].at_ms, column.at_ms)
            assert found[name].value[same].tolist() == column.value.tolist()
            assert len(found[name].at_ms) > len(column.at_ms)
    late.close()


def test_a_revision_of_a_cremation_changes_nothing_of_what_was_expected_of_it(plant: Plant) -> None:
    one = truth(1)[FEWEST]
    plant.live_through(1, [one])
    before = plant.expected(1, "high")
    revised = msgspec.structs.replace(cycle(1, one), gas_m3=31.0)
    plant.cycles.record(1, revised.charge_ms, revised.charge_ms + 1, [revised], one.to_ms)
    assert plant.worker.step(one.to_ms + 600 * MINUTE) == 1
    after = plant.expected(1, "high")
    assert [after[name].value.tolist() for name in QUANTITIES] == [before[name].value.tolist() for name in QUANTITIES]
    assert len(plant.own()) == FEWEST + 1


def test_a_cremation_that_was_none_teaches_nothing(plant: Plant) -> None:
    last, one = truth(1)[FEWEST - 1], truth(1)[FEWEST]
    charge_ms = cycle(1, last).charge_ms
    plant.cycles.record(1, charge_ms, charge_ms + 1, [], last.to_ms)
    plant.worker.step(last.to_ms + 10 * MINUTE)
    assert len(plant.own()) == FEWEST - 1
    plant.begin(1, one, main_of(one))
    plant.watch(1, main_of(one), main_of(one) + MINUTE)
    assert plant.expected(1, "low") == {}


@pytest.mark.parametrize("gap", [0.5, 1.0])
def test_a_cremation_with_bad_data_teaches_nothing(plant: Plant, gap: float) -> None:
    one = truth(1)[FEWEST]
    plant.begin(1, one, one.to_ms - round(gap * (one.to_ms - one.from_ms)))
    plant.end(1, one)
    plant.worker.step(one.to_ms + AFTER)
    assert plant.own()[-1].held_back is HeldBack.BAD_DATA


def test_a_faulty_cremation_teaches_nothing_and_the_next_usual_one_does(plant: Plant) -> None:
    plant.live_through(1, truth(1)[FEWEST : FEWEST + 1], **{T2: -80.0})
    plant.live_through(1, truth(1)[FEWEST + 1 : FEWEST + 2])
    assert [one.held_back for one in plant.own()][-2:] == [HeldBack.UNUSUAL, HeldBack.NOTHING]


def test_marked_time_teaches_nothing_also_when_it_is_marked_later(plant: Plant) -> None:
    third, one, main_ms = truth(1)[2], truth(1)[FEWEST], main_of(truth(1)[FEWEST])
    mark = MarkEntry(furnace_id=1, state=PlantState.CALIBRATION, start_ms=third.from_ms, end_ms=third.to_ms)
    number = plant.marks.enter(mark, PEOPLE)
    plant.begin(1, one, main_ms)
    plant.watch(1, main_ms, main_ms + MINUTE)
    assert plant.expected(1, "low") == {}, "one too few"
    plant.marks.replace(number, mark, Act.WITHDRAWN, PEOPLE)
    plant.start()
    plant.watch(1, main_ms + MINUTE, main_ms + 2 * MINUTE)
    assert set(plant.expected(1, "low")) == set(QUANTITIES)


def test_a_cremation_during_an_alarm_teaches_nothing(plant: Plant) -> None:
    third, one, main_ms = truth(1)[2], truth(1)[FEWEST], main_of(truth(1)[FEWEST])
    name = Name("1", "1")
    facts = DeviceBadFacts(name, name, "f1", "timeout", 8, third.from_ms)
    plant.city.alarms.settle(
        [Condition("device_bad:1", Place("h1", 1), facts, third.from_ms, third.to_ms)], third.to_ms
    )
    plant.begin(1, one, main_ms)
    plant.watch(1, main_ms, main_ms + MINUTE)
    assert plant.expected(1, "low") == {}


def test_of_a_furnace_that_tells_no_phase_it_is_said_when_its_cremation_is_found(plant: Plant) -> None:
    one = truth(1)[FEWEST]
    with Session(plant.city.engine) as session, session.begin():
        session.execute(update(Series).where(Series.channel == "phase").values(quantity=""))
    plant.begin(1, one, one.to_ms)
    plant.worker.step(one.to_ms + AFTER)
    assert plant.expected(1, "low") == {}
    plant.end(1, one)
    plant.worker.step(one.to_ms + 10 * MINUTE + AFTER)
    assert set(plant.expected(1, "low")) == set(QUANTITIES)
    assert plant.own()[-1].held_back is HeldBack.NOTHING


def test_a_channel_in_another_unit_is_not_held_against_anything(plant: Plant) -> None:
    one, main_ms = truth(1)[FEWEST], main_of(truth(1)[FEWEST])
    with Session(plant.city.engine) as session, session.begin():
        session.execute(update(Series).where(Series.channel == T2).values(unit="°F"))
    plant.begin(1, one, main_ms)
    plant.watch(1, main_ms, main_ms + 6 * MINUTE, **{T2: -200.0})
    assert plant.told() == []


def test_a_store_that_was_away_gets_everything_later(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    one, main_ms = truth(1)[FEWEST], main_of(truth(1)[FEWEST])
    plant.begin(1, one, main_ms)

    def away(_points: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patched:
        patched.setattr(plant.derived, "write", away)
        for minute in range(3):
            with pytest.raises(StoreError):
                plant.watch(1, main_ms + minute * MINUTE, main_ms + (minute + 1) * MINUTE)
    plant.watch(1, main_ms + 3 * MINUTE, main_ms + 4 * MINUTE)
    assert plant.expected(1, "low")[T2].at_ms[-4:].tolist() == list(range(main_ms, main_ms + 4 * MINUTE, MINUTE))


def test_only_the_lessons_that_are_needed_are_kept(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_KEPT", FEWEST)
    plant.live_through(1, truth(1)[FEWEST : FEWEST + 2])
    assert [one.case_number for one in plant.own()] == [f"c{one.cremation}" for one in truth(1)[2 : FEWEST + 2]]


def test_a_cremation_of_a_furnace_that_goes_by_another_name_by_now_is_looked_at_all_the_same(plant: Plant) -> None:
    one = truth(1)[FEWEST]
    plant.show(1, one.from_ms // MINUTE * MINUTE, one.to_ms)
    plant.end(1, one)
    with Session(plant.city.engine) as session, session.begin():
        session.add(Furnace(id=90, home_id="h1", name="renamed"))
        session.flush()
        session.execute(update(Source).where(Source.furnace_id == 1).values(furnace_id=90))
    plant.start()
    assert plant.worker.step(one.to_ms + AFTER) == 1
    assert plant.expected(1, "low") == {}
    assert plant.own()[-1].held_back is HeldBack.BAD_DATA, "nothing of it can be read"
    assert plant.worker.step(one.to_ms + AFTER + 10_000) == 0
