from itertools import pairwise
from random import Random

import pytest

from edge_agent.simulator.schedule import (
    COLD_PREHEAT_MIN,
    DAY_S,
    PHASE_MIN,
    Phase,
    Rhythm,
    Schedule,
    Span,
    cycles_a_day,
    plan_day,
)
from edge_agent.wire.quantity import PHASES

SEEDS = range(40)
STRETCH = 0.06


def _day(rhythm: Rhythm, seed: int) -> tuple[Span, ...]:
    rng, schedule = Random(seed), Schedule(rhythm)
    return plan_day(schedule, cycles_a_day(schedule, rng), rng)


def test_phases_have_the_codes_of_the_wire() -> None:
    assert {phase.value: phase.name.lower() for phase in Phase} == PHASES


@pytest.mark.parametrize("rhythm", Rhythm)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_is_covered_without_gap(rhythm: Rhythm, seed: int) -> None:
    spans = _day(rhythm, seed)
    assert spans[0].from_s == 0.0
    assert spans[-1].to_s == pytest.approx(DAY_S, abs=1e-6)
    assert all(a.to_s == b.from_s for a, b in pairwise(spans))


@pytest.mark.parametrize("rhythm", Rhythm)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_cycle_goes_through_all_phases_in_order(rhythm: Rhythm, seed: int) -> None:
    spans = [span for span in _day(rhythm, seed) if span.cycle is not None]
    cycles = {span.cycle for span in spans}
    for cycle in cycles:
        assert [span.phase for span in spans if span.cycle == cycle] == list(PHASE_MIN)


@pytest.mark.parametrize("rhythm", Rhythm)
@pytest.mark.parametrize("seed", SEEDS)
def test_phases_last_as_long_as_they_may(rhythm: Rhythm, seed: int) -> None:
    spans = _day(rhythm, seed)
    for before, span in zip((None, *spans), spans, strict=False):
        if span.phase is not Phase.IDLE:
            cold = before is not None and before.phase is Phase.IDLE
            low, high = COLD_PREHEAT_MIN if cold else PHASE_MIN[span.phase]
            assert low * (1 - STRETCH) <= span.length_s / 60.0 <= high * (1 + STRETCH)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_working_day_begins_at_half_past_seven_and_ends_in_the_afternoon(seed: int) -> None:
    spans = _day(Rhythm.WORKING_DAY, seed)
    first_charge_h = next(span.from_s for span in spans if span.phase is Phase.CHARGE) / 3600.0
    end_h = spans[-1].from_s / 3600.0
    assert 7.3 <= first_charge_h <= 7.7
    assert 14.0 <= end_h <= 18.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_furnace_that_always_burns_is_never_idle(seed: int) -> None:
    assert all(span.phase is not Phase.IDLE for span in _day(Rhythm.ALWAYS_BURNING, seed))
