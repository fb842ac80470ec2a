"""Cremations of simulated furnaces, found from what their sensors show and held against what is true."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from edge_agent.simulator.schedule import Rhythm
from ingest_service.cycles.cycle import Cycle, FoundBy, StartKind
from ingest_service.cycles.finding import find
from ingest_service.cycles.signals import QUANTITIES, Signals
from tests.ingest_service.cycles.plants import (
    HOUR_MS,
    PLACE,
    T0,
    TERMS,
    TOLD,
    Plant,
    charge_of,
    found_in,
    matched,
    plant,
)

SEEDS = (1, 2)
INNER = ("charge", "ignition", "main", "burnout", "cooling")


@pytest.fixture(scope="module", params=list(Rhythm))
def plants(request: pytest.FixtureRequest) -> list[Plant]:
    return [plant(seed, request.param) for seed in SEEDS]


def errors_s(pairs: Sequence[tuple[Plant, list[Cycle]]], phase: str) -> list[float]:
    """How far each found phase begins from where it does, s; a phase that was not found is as wrong as can be."""
    return [
        (getattr(cycle, f"{phase}_ms") - one.from_ms) / 1000.0 if getattr(cycle, f"{phase}_ms") else 1e9
        for own, found in pairs
        for true, cycle in matched(own, found)
        for one in true.phases
        if one.phase == phase
    ]


def ends_s(pairs: Sequence[tuple[Plant, list[Cycle]]]) -> list[float]:
    """How far the starts and ends of cremations are from where they are, s."""
    both = [pair for own, found in pairs for pair in matched(own, found)]
    starts = [(cycle.start_ms - true.from_ms) / 1000.0 for true, cycle in both]
    return starts + [(cycle.end_ms - true.to_ms) / 1000.0 for true, cycle in both]


def test_every_cremation_is_found_from_the_sensors_alone_and_none_that_was_not(plants: list[Plant]) -> None:
    for own in plants:
        found = [one for one in found_in(own.without(*TOLD)) if one.start_ms >= own.truth[0].from_ms - 60_000]
        found = [one for one in found if one.end_ms <= own.truth[-1].to_ms + 60_000]
        assert len(found) == len(own.truth) > 0
        assert all(abs(one.charge_ms - charge_of(true)) <= 30_000 for true, one in zip(own.truth, found, strict=True))
        assert {one.found_by for one in found} == {FoundBy.SIGNALS}


def test_starts_and_ends_are_found_within_half_a_minute(plants: list[Plant]) -> None:
    pairs = [(own, found_in(own.without(*TOLD))) for own in plants]
    assert max(abs(error) for error in ends_s(pairs)) <= 30.0


def test_phases_are_found_within_a_minute(plants: list[Plant]) -> None:
    pairs = [(own, found_in(own.without(*TOLD))) for own in plants]
    all_errors = [error for phase in INNER for error in errors_s(pairs, phase)]
    assert np.mean(np.abs(all_errors) <= 60.0) >= 0.95
    assert max(np.percentile(np.abs(errors_s(pairs, phase)), 95) for phase in INNER) <= 60.0


def test_what_the_controller_tells_goes_before_what_the_sensors_show(plants: list[Plant]) -> None:
    pairs = [(own, found_in(own.signals)) for own in plants]
    assert {cycle.found_by for _, found in pairs for cycle in found} == {FoundBy.PHASE}
    step_s = 10.0
    assert max(abs(error) for error in ends_s(pairs)) <= step_s
    assert max(abs(error) for phase in INNER for error in errors_s(pairs, phase)) <= step_s


def test_a_cremation_ends_where_the_next_one_begins_while_the_furnace_goes_on(plants: list[Plant]) -> None:
    for own in plants:
        found = found_in(own.without(*TOLD))
        for before, after in pairwise(found):
            assert before.end_ms == after.start_ms or after.start_ms - before.end_ms > HOUR_MS


def test_the_first_start_of_a_working_day_is_cold_and_the_others_are_warm() -> None:
    own = plant(4, Rhythm.WORKING_DAY)
    found = [cycle for _, cycle in matched(own, found_in(own.without(*TOLD)))]
    assert [one.start_kind for one in found].count(StartKind.COLD) == 1
    assert found[0].start_kind is StartKind.COLD
    warm = [one for one in found if one.start_kind is StartKind.WARM]
    assert len(warm) == len(found) - 1
    assert found[0].gas_m3 is not None
    assert all(one.gas_m3 is not None and one.gas_m3 < found[0].gas_m3 for one in warm)


@pytest.mark.parametrize(
    "lacking",
    [
        pytest.param(("charge_door_open",), id="without a switch at the charge door"),
        pytest.param(("trolley_in",), id="without a switch at the trolley"),
        pytest.param(("ash_door_open",), id="without a switch at the ash door"),
        pytest.param(("combustion_fan_frequency",), id="without the fan's frequency"),
        pytest.param(("burner1_on", "burner2_on"), id="without the burners' contacts"),
        pytest.param(("burner1_modulation", "burner2_modulation"), id="without the burners' modulation"),
        pytest.param(("gas_flow", "gas_total"), id="without a gas meter"),
    ],
)
def test_start_and_end_are_found_by_a_furnace_that_lacks_a_signal(lacking: tuple[str, ...]) -> None:
    own = plant(2, Rhythm.ALWAYS_BURNING, hours=6)
    pairs = [(own, found_in(own.without(*TOLD, *lacking)))]
    assert len(pairs[0][1]) >= len(own.truth) > 3
    assert max(abs(error) for error in ends_s(pairs)) <= 30.0


def with_gap(signals: Signals, from_ms: int, to_ms: int) -> Signals:
    columns = signals.columns.copy()
    columns[:, signals.step(from_ms) : signals.step(to_ms)] = np.nan
    return msgspec.structs.replace(signals, columns=columns)


def phase_of(own: Plant, cycle: int, phase: str) -> tuple[int, int]:
    found = next(one for one in own.truth[cycle].phases if one.phase == phase)
    return found.from_ms, found.to_ms


def test_a_gap_in_the_middle_neither_loses_nor_splits_a_cremation() -> None:
    own = plant(3, Rhythm.ALWAYS_BURNING, hours=6)
    whole = found_in(own.without(*TOLD))
    from_ms, to_ms = phase_of(own, 2, "main")
    found = found_in(with_gap(own.without(*TOLD), from_ms + 600_000, to_ms - 300_000))
    assert [one.case_number for one in found] == [one.case_number for one in whole]
    assert [(one.start_ms, one.end_ms) for one in found] == [(one.start_ms, one.end_ms) for one in whole]
    broken = min(found, key=lambda one: one.covered_share)
    assert 0.5 < broken.covered_share < 1.0


def test_a_charge_that_nobody_saw_is_known_by_the_fire_that_followed() -> None:
    own = plant(3, Rhythm.ALWAYS_BURNING, hours=6)
    from_ms, to_ms = phase_of(own, 2, "charge")
    found = found_in(with_gap(own.without(*TOLD), from_ms - 60_000, to_ms + 30_000))
    assert len(found) == len(found_in(own.without(*TOLD)))
    unseen = min(found, key=lambda one: abs(one.charge_ms - from_ms))
    assert abs(unseen.charge_ms - from_ms) <= 180_000
    assert abs(unseen.end_ms - own.truth[2].to_ms) <= 30_000


def test_a_door_that_was_opened_without_a_fire_is_no_cremation() -> None:
    own = plant(5, Rhythm.WORKING_DAY)
    signals = own.without(*TOLD)
    columns = signals.columns.copy()
    first = signals.step(own.truth[0].from_ms - 2 * HOUR_MS)
    columns[QUANTITIES.index("charge_door_open"), first : first + 60] = 1.0
    opened = msgspec.structs.replace(signals, columns=columns)
    assert found_in(opened) == found_in(signals)


def test_a_cremation_is_none_before_it_has_ended() -> None:
    own = plant(1, Rhythm.ALWAYS_BURNING, hours=3)
    signals, true = own.without(*TOLD), own.truth[-1]
    near_ms = charge_of(true) // 60_000 * 60_000
    for until_ms in range(near_ms + 300_000, true.to_ms - 60_000, 300_000):
        assert find(signals.between(near_ms - HOUR_MS, until_ms), near_ms, False, PLACE, TERMS) is None
    late = find(signals.between(near_ms - HOUR_MS, true.to_ms + 180_000), near_ms, False, PLACE, TERMS)
    assert late is not None
    assert abs(late.end_ms - true.to_ms) <= 30_000


def test_a_case_number_is_furnace_and_local_minute_of_the_charge() -> None:
    own = plant(1, Rhythm.ALWAYS_BURNING, hours=3)
    numbers = [one.case_number for one in found_in(own.signals)]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("f1-20") and len(number) == len("f1-20260110-0812") for number in numbers)
    assert T0 > 0
