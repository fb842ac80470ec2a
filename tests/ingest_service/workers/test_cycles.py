"""Cremations of a simulated furnace, found in a real store while its data come in."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.simulator.truth import TrueCycle, true_cycles
from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.cycle import Cycle
from ingest_service.cycles.settings import Cremations
from ingest_service.cycles.signals import QUANTITIES
from ingest_service.emissions.units import Oxide
from ingest_service.store.cycles import CycleRow, CycleStore
from ingest_service.store.energy import EnergyStore, energy_hours
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.tables import Furnace, Source
from ingest_service.workers.average import FurnaceHour
from ingest_service.workers.cycle_reading import CycleSite
from ingest_service.workers.cycles import CycleWorker
from tests.ingest_service.workers.city import MINUTE, START, City

SENSORS = tuple(name for name in QUANTITIES if name not in ("phase", "cremations_total", *Oxide))
STEP_MS = 10_000
HOURS = 5
SITE = CycleSite(ZoneInfo("Asia/Shanghai"), 101_325.0, Cremations(stack_area_m2=0.2))
FAR_LATER = START + 40 * HOUR_MS


class Plant:
    """A city whose furnaces burn all day and in step, and the worker that looks for their cremations."""

    def __init__(self, folder: Path, furnaces: int = 1) -> None:
        self.city, self.furnaces = City(folder, furnaces=furnaces, channels=SENSORS), range(1, furnaces + 1)
        self.cycles, self.energy = CycleStore(self.city.engine), EnergyStore(self.city.engine)
        self.told: list[FurnaceHour] = []
        self.start()

    def start(self) -> None:
        """As a process that has just started."""
        city = self.city
        self.worker = CycleWorker(
            city.store, city.channels, self.cycles, self.energy, SITE, lambda hours, _: self.told.extend(hours), int
        )

    def feed(self, from_ms: int, to_ms: int) -> None:
        """What the furnaces showed in that time."""
        first, last = (from_ms - START) // STEP_MS, (to_ms - START) // STEP_MS
        times = np.arange(from_ms, to_ms, STEP_MS, dtype=np.int64)
        for furnace in self.furnaces:
            columns = {name: column[first:last] for name, column in zip(SENSORS, shown(), strict=True)}
            self.city.write(furnace, times, columns)

    def pass_time(self, now_ms: int) -> None:
        """Average what came and look at it."""
        while self.city.average.step(now_ms):
            pass
        self.worker.step(now_ms)

    def catch_up(self, now_ms: int = FAR_LATER) -> None:
        """Everything that is due, with time for hours to settle."""
        self.pass_time(now_ms)
        self.touch_all(now_ms)
        self.worker.step(now_ms + 60_000)

    def touch_all(self, now_ms: int) -> None:
        """As the averages tell of the hours that they renewed."""
        hours = [FurnaceHour(one, START + hour * HOUR_MS) for one in self.furnaces for hour in range(HOURS)]
        self.worker.touched(hours, now_ms)

    def found(self) -> list[CycleRow]:
        """The cremations that are known."""
        return self.cycles.cycles(START, FAR_LATER)


@cache
def shown() -> Float64s:
    """What the furnace's sensors show, a row each."""
    model = FurnaceModel(7, 7, Schedule(Rhythm.ALWAYS_BURNING))
    states = [model.at(at_ms) for at_ms in range(START, START + HOURS * HOUR_MS, STEP_MS)]
    return np.array([[getattr(state, name) for state in states] for name in SENSORS], np.float64)


@cache
def truth() -> tuple[TrueCycle, ...]:
    """The cremations that lie wholly within."""
    model = FurnaceModel(7, 7, Schedule(Rhythm.ALWAYS_BURNING))
    end_ms = START + HOURS * HOUR_MS
    every = true_cycles(model, 7, START, end_ms)
    return tuple(one for one in every if one.from_ms > START and one.to_ms < end_ms - 10 * MINUTE)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.city.close()


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> list[Cycle]:
    """What a worker finds that sees everything at once."""
    plant = Plant(tmp_path_factory.mktemp("replayed"))
    plant.feed(START, START + HOURS * HOUR_MS)
    plant.catch_up()
    found = bare(plant.found())
    plant.city.close()
    return found


def bare(rows: Sequence[CycleRow]) -> list[Cycle]:
    """Cremations without what says when and how often they were reckoned."""
    names = Cycle.__struct_fields__
    return [Cycle(**{name: getattr(row, name) for name in names}) for row in rows]


def test_cremations_are_found_in_what_the_store_holds(replayed: list[Cycle]) -> None:
    within = [one for one in replayed if one.start_ms >= truth()[0].from_ms - 30_000][: len(truth())]
    assert len(within) == len(truth()) >= 2
    for cycle, true in zip(within, truth(), strict=True):
        assert abs(cycle.start_ms - true.from_ms) <= 30_000
        assert abs(cycle.end_ms - true.to_ms) <= 30_000
        assert cycle.gas_m3 is not None
        assert cycle.co2_kg == pytest.approx(2.0 * cycle.gas_m3, abs=0.01)
        assert cycle.co_g is not None
        assert 5.0 < cycle.co_g < 1_000.0
        assert cycle.covered_share > 0.99


def test_furnaces_that_are_looked_at_together_are_not_mixed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replayed: list[Cycle]
) -> None:
    monkeypatch.setattr("ingest_service.workers.cycles._FURNACES_AT_ONCE", 2)
    plant = Plant(tmp_path, furnaces=3)
    plant.feed(START, START + HOURS * HOUR_MS)
    plant.catch_up()
    expected = [(one.start_ms, one.end_ms, one.gas_m3) for one in replayed]
    used = energy_hours(Reader(plant.city.engine, Scope()), START, FAR_LATER)
    for furnace in plant.furnaces:
        own = [row for row in plant.found() if row.furnace_id == furnace]
        assert [(one.start_ms, one.end_ms, one.gas_m3) for one in own] == expected
        hours = [hour for hour in used if hour.furnace_id == furnace]
        assert [(hour.start_ms, hour.gas_m3, hour.hot_idle_s) for hour in hours] == [
            (hour.start_ms, hour.gas_m3, hour.hot_idle_s) for hour in used if hour.furnace_id == 1
        ]
        assert len(hours) >= HOURS
    plant.city.close()


def test_found_as_they_end_they_are_the_same_as_found_afterwards(plant: Plant, replayed: list[Cycle]) -> None:
    plant.worker.step(START)
    for at_ms in range(START, START + HOURS * HOUR_MS, 10 * MINUTE):
        plant.feed(at_ms, at_ms + 10 * MINUTE)
        plant.pass_time(at_ms + 10 * MINUTE + 6_000)
    assert len(plant.found()) >= len(truth())
    plant.catch_up()
    assert bare(plant.found()) == replayed


def test_a_furnace_that_goes_by_another_name_when_its_cremation_ends_stops_nothing(plant: Plant) -> None:
    plant.worker.step(START)
    until_ms = truth()[-1].to_ms // MINUTE * MINUTE
    plant.feed(START, until_ms)
    plant.pass_time(until_ms + 6_000)
    before = plant.found()
    with Session(plant.city.engine) as session, session.begin():
        session.add(Furnace(id=90, home_id="h1", name="renamed"))
        session.flush()
        session.execute(update(Source).where(Source.furnace_id == 1).values(furnace_id=90))
    plant.touch_all(until_ms)
    for minutes in range(1, 25):
        plant.worker.step(until_ms + minutes * MINUTE + 6_000)
    assert [row for row in plant.found() if row.furnace_id == 1] == before


def test_a_cremation_is_known_minutes_after_it_ended(plant: Plant) -> None:
    plant.worker.step(START)
    end_ms = truth()[-1].to_ms
    plant.feed(START, end_ms // MINUTE * MINUTE)
    plant.pass_time(end_ms + 6_000)
    assert not [row for row in plant.found() if abs(row.end_ms - end_ms) < 60_000]
    until_ms = end_ms // MINUTE * MINUTE + 8 * MINUTE
    plant.feed(end_ms // MINUTE * MINUTE, until_ms)
    plant.pass_time(until_ms + 6_000)
    plant.worker.step(until_ms + 60_000)
    assert [row for row in plant.found() if abs(row.end_ms - end_ms) <= 30_000]


def test_a_new_process_goes_on_where_the_old_one_was_killed(plant: Plant, replayed: list[Cycle]) -> None:
    half_ms = START + HOURS * HOUR_MS // 2
    plant.worker.step(START)
    plant.feed(START, half_ms)
    plant.pass_time(half_ms + 6_000)
    plant.city.restart()
    plant.start()
    plant.feed(half_ms, START + HOURS * HOUR_MS)
    plant.pass_time(START + HOURS * HOUR_MS + 90_000)
    plant.start()
    plant.catch_up()
    assert bare(plant.found()) == replayed


def test_late_data_make_a_revision_and_their_hours_are_told_of(plant: Plant, replayed: list[Cycle]) -> None:
    middle_ms = replayed[1].charge_ms // MINUTE * MINUTE + 30 * MINUTE
    plant.feed(START, middle_ms)
    plant.feed(middle_ms + 15 * MINUTE, START + HOURS * HOUR_MS)
    plant.catch_up()
    assert plant.found()[1].covered_share < 0.9
    assert [row.revision for row in plant.found()] == [0] * len(replayed)
    plant.told.clear()
    plant.feed(middle_ms, middle_ms + 15 * MINUTE)
    plant.catch_up(FAR_LATER + HOUR_MS)
    assert bare(plant.found()) == replayed
    assert plant.found()[1].revision_reason == "late_data"
    assert FurnaceHour(1, middle_ms // HOUR_MS * HOUR_MS) in plant.told


def test_cremations_and_idle_time_add_up_to_what_the_meters_say(plant: Plant, replayed: list[Cycle]) -> None:
    plant.feed(START, START + HOURS * HOUR_MS)
    plant.catch_up()
    hours = energy_hours(Reader(plant.city.engine, Scope()), START, FAR_LATER)
    assert [hour.start_ms for hour in hours[:HOURS]] == [START + at * HOUR_MS for at in range(HOURS)]
    meter = shown()[SENSORS.index("gas_total")]
    assert sum(hour.gas_m3 or 0.0 for hour in hours) == pytest.approx(meter[-1] - meter[0], abs=0.3)
    burned = sum(hour.gas_in_cycles_m3 or 0.0 for hour in hours)
    assert burned == pytest.approx(sum(one.gas_m3 or 0.0 for one in replayed), rel=0.01)
    spans_s = sum(one.duration_s for one in replayed)
    assert sum(hour.burning_s for hour in hours) == pytest.approx(spans_s, abs=5.0)
    assert all((hour.gas_in_cycles_m3 or 0.0) <= (hour.gas_m3 or 0.0) for hour in hours)


def test_an_hour_that_is_reckoned_again_is_replaced(plant: Plant) -> None:
    plant.feed(START, START + HOUR_MS)
    plant.catch_up()
    plant.feed(START + HOUR_MS, START + HOURS * HOUR_MS)
    plant.catch_up(FAR_LATER + HOUR_MS)
    hours = energy_hours(Reader(plant.city.engine, Scope()), START, FAR_LATER)
    assert len({(hour.furnace_id, hour.start_ms) for hour in hours}) == len(hours) >= HOURS
    assert msgspec.structs.asdict(hours[0])["burning_s"] > 0
