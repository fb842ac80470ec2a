"""From samples to a verdict on a cremation: a pack that asks for it judges what is found, and again what changes."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select

from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.wire.durations import HOUR_MS
from ingest_service.cycles.settings import Cremations
from ingest_service.cycles.signals import QUANTITIES
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.units import Oxide
from ingest_service.store.audit import AuditTrail
from ingest_service.store.cycles import CycleStore
from ingest_service.store.energy import EnergyStore
from ingest_service.store.judged_tables import Judgement
from ingest_service.store.marks import MarkStore
from ingest_service.store.transaction import transaction
from ingest_service.workers.average import AverageWorker, FurnaceHour, telling
from ingest_service.workers.cycle_reading import CycleSite
from ingest_service.workers.cycles import CycleWorker
from ingest_service.workers.judge import Why
from ingest_service.workers.plant import StoredPlant
from tests.ingest_service.emissions.gas import limit_over, pack_of
from tests.ingest_service.workers.city import MINUTE, START, City

PACK = pack_of(limit_over(Averaging.CREMATION, 60.0), limit_over(Averaging.FIRST_HOUR_OF_CREMATION, 60.0))
HOURS, STEP_MS = 4, 10_000
SHOWN = tuple(name for name in QUANTITIES if name not in list(Oxide))


class Centre:
    """A city whose workers tell each other, as in the running service."""

    def __init__(self, folder: Path) -> None:
        self.city = City(folder, furnaces=1, channels=SHOWN, book=RuleBook((PACK,)))
        self.plant = StoredPlant(
            CycleStore(self.city.engine), MarkStore(self.city.engine, AuditTrail(self.city.engine))
        )
        self.city.plant = self.plant
        self.city.restart()
        judge, channels = self.city.judge, self.city.channels
        site = CycleSite(ZoneInfo("Asia/Shanghai"), 101_325.0, Cremations())
        energy = EnergyStore(self.city.engine)
        self.cycles = CycleWorker(
            self.city.store,
            channels,
            self.plant.cycle_store,
            energy,
            site,
            lambda hours, now_ms: judge.reopen(hours, Why.CREMATIONS, now_ms),
            int,
        )
        self.average = AverageWorker(self.city.store, channels, telling(judge.touched, self.cycles.touched), int)

    def feed(self, from_ms: int, to_ms: int) -> None:
        """What a simulated furnace shows in that time."""
        model, times = FurnaceModel(7, 7, Schedule(Rhythm.ALWAYS_BURNING)), np.arange(from_ms, to_ms, STEP_MS)
        states = [model.at(at_ms) for at_ms in times.tolist()]
        columns = {name: np.array([getattr(state, name) for state in states], np.float64) for name in SHOWN}
        self.city.write(1, times.astype(np.int64), columns)

    def settle(self, now_ms: int) -> None:
        """Let every worker do what is due, with time for hours to settle."""
        while self.average.step(now_ms):
            pass
        for after_ms in (0, MINUTE, 2 * MINUTE, 3 * MINUTE):
            self.cycles.step(now_ms + after_ms)
            self.city.judge.step(now_ms + after_ms)


def judged(city: City, averaging: Averaging) -> list[tuple[int, int, str]]:
    """Start, revision and its reason of every record, by time."""
    query = select(Judgement).where(Judgement.averaging == averaging.value)
    with transaction(city.engine) as session:
        rows = session.scalars(query.order_by(Judgement.start_ms, Judgement.revision)).all()
        return [(row.start_ms, row.revision, row.revision_reason) for row in rows]


def test_what_is_found_is_judged_and_judged_again_when_it_turns_out_to_be_another(tmp_path: Path) -> None:
    centre = Centre(tmp_path)
    gap = START + 2 * HOUR_MS, START + 2 * HOUR_MS + 40 * MINUTE
    centre.feed(START, gap[0])
    centre.feed(gap[1], START + HOURS * HOUR_MS)
    centre.settle(START + 30 * HOUR_MS)
    before = {row.start_ms: row for row in centre.plant.cycle_store.cycles(START, START + HOURS * HOUR_MS)}
    told = {start for start, _, _ in judged(centre.city, Averaging.CREMATION)}
    assert told == set(before)
    assert len(judged(centre.city, Averaging.FIRST_HOUR_OF_CREMATION)) == len(before) > 0
    centre.feed(*gap)
    centre.settle(START + 31 * HOUR_MS)
    after = {row.start_ms: row for row in centre.plant.cycle_store.cycles(START, START + HOURS * HOUR_MS)}
    changed = [start for start, row in after.items() if before.get(start) != row]
    assert changed
    newest = {start: (revision, why) for start, revision, why in judged(centre.city, Averaging.CREMATION)}
    assert set(after) <= set(newest)
    assert all(start not in before or newest[start][0] > 0 for start in changed)
    assert {newest[start][1] for start in changed} <= {Why.CREMATIONS, Why.LATE_DATA, ""}
    centre.city.close()


def test_an_hour_that_a_cremation_reopened_says_so(tmp_path: Path) -> None:
    centre = Centre(tmp_path)
    centre.feed(START, START + HOURS * HOUR_MS)
    while centre.average.step(START + 30 * HOUR_MS):
        pass
    centre.city.judge.step(START + 30 * HOUR_MS)
    centre.city.judge.step(START + 30 * HOUR_MS + MINUTE)
    assert judged(centre.city, Averaging.CREMATION) == []
    centre.cycles.touched([FurnaceHour(1, START + at * HOUR_MS) for at in range(HOURS)], START + 30 * HOUR_MS)
    centre.settle(START + 30 * HOUR_MS + 2 * MINUTE)
    known = centre.plant.cycle_store.cycles(START, START + HOURS * HOUR_MS)
    assert {start for start, _, _ in judged(centre.city, Averaging.CREMATION)} == {one.start_ms for one in known}
    centre.city.close()
