import pytest

from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.simulator.truth import TrueCycle, true_cycles
from edge_agent.wire.quantity import PHASES

START_MS = 1_795_500_000_000
DAY_MS = 86_400_000
SCHEDULES = [Schedule(Rhythm.ALWAYS_BURNING), Schedule(Rhythm.WORKING_DAY)]


def _cycles(model: FurnaceModel) -> list[TrueCycle]:
    return list(true_cycles(model, 3, START_MS, START_MS + DAY_MS))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=["always burning", "working day"])
def test_the_furnace_shows_the_true_phase_on_both_sides_of_every_boundary(schedule: Schedule) -> None:
    model = FurnaceModel(5, 3, schedule)
    for cycle in _cycles(model):
        for phase in cycle.phases:
            for inside_ms in (phase.from_ms + 1000, phase.to_ms - 1000):
                assert PHASES[model.at(inside_ms).phase] == phase.phase


@pytest.mark.parametrize("schedule", SCHEDULES, ids=["always burning", "working day"])
def test_the_counter_of_cremations_moves_at_each_end(schedule: Schedule) -> None:
    model = FurnaceModel(5, 3, schedule)
    for cycle in _cycles(model):
        assert model.at(cycle.to_ms - 1000).cremations_total == cycle.cremation - 1
        assert model.at(cycle.to_ms + 1000).cremations_total == cycle.cremation


def test_only_cycles_that_overlap_the_time_asked_for_are_told() -> None:
    model = FurnaceModel(5, 3, SCHEDULES[0])
    cycles = _cycles(model)
    assert 18 <= len(cycles) <= 20
    assert all(cycle.from_ms < START_MS + DAY_MS and cycle.to_ms > START_MS for cycle in cycles)
    assert [cycle.cremation for cycle in cycles] == sorted({cycle.cremation for cycle in cycles})


def test_phases_of_a_cycle_follow_each_other() -> None:
    for cycle in _cycles(FurnaceModel(5, 3, SCHEDULES[0])):
        assert cycle.from_ms == cycle.phases[0].from_ms
        assert cycle.to_ms == cycle.phases[-1].to_ms
        assert all(a.to_ms == b.from_ms for a, b in zip(cycle.phases[:-1], cycle.phases[1:], strict=True))
