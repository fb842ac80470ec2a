"""What is unusual for a furnace: false alarms in simulated cremations, how soon faults are told, and what it costs."""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.truth import true_cycles
from ingest_service.anomaly.baseline import FEWEST, SHAPE, Baseline, HeldBack, learn, lesson, on_scale, teaching
from ingest_service.anomaly.course import NO_CELL, cells, told_phases
from ingest_service.anomaly.gate import held_back, well_known
from ingest_service.anomaly.unusual import detect
from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.anomaly.window import FewMinutes, Presence
from ingest_service.columns import Float64s, Int64s
from ingest_service.workers.expected_points import Bounds, expected_points
from tests.bench.machine import machine

FIRST_MS = 1_767_225_600_000  # 2026-01-01
DAY_MS, MINUTE_MS = 86_400_000, 60_000
STEP_MS = 10_000
WINDOW = 8  # minutes, as the service looks at them
MONTH_DAYS = 30
SETTLING_MIN = 2.0  # how fast a process goes over to a fault; an analyser's gas at once
PHASES = ("charge", "ignition", "main", "burnout", "cooling")


class Burn(msgspec.Struct, frozen=True):
    """One cremation: the cells of its minutes, and (quantities, minutes) means."""

    cell: Int64s
    value: Float64s


class Fault(msgspec.Struct, frozen=True):
    """What a fault does to one quantity: a factor and an offset, reached with `settling_min` (0 at once)."""

    quantity: str
    factor: float
    offset: float
    settling_min: float

    def on(self, value: Float64s, from_minute: int) -> Float64s:
        """Means with the fault from that minute on."""
        passed = np.arange(value.shape[1]) - from_minute + 0.5
        level = np.where(passed > 0, 1.0, 0.0)
        if self.settling_min:
            level = np.where(passed > 0, 1.0 - np.exp(-np.maximum(passed, 0) / self.settling_min), 0.0)
        changed, at = value.copy(), QUANTITIES.index(self.quantity)
        changed[at] = value[at] * (1.0 + (self.factor - 1.0) * level) + self.offset * level
        return changed


FAULTS = {
    "burner_weak_80_c": Fault("chamber2_temperature", 1.0, -80.0, SETTLING_MIN),
    "air_leak_3_pct_o2": Fault("flue_o2", 1.0, 3.0, 0.0),
    "co_times_3": Fault("co", 3.0, 0.0, 0.0),
}


class Outcome(msgspec.Struct):
    """What became of one furnace's days; delays are minutes from the onset to the end of the minute that told."""

    watched_days: float = 0.0
    false_alarms: dict[str, int] = {}
    held_back: int = 0
    cremations: int = 0
    delays: dict[str, list[float]] = {}
    missed: dict[str, int] = {}


def burns(seed: int, index: int, days: int) -> Iterator[Burn]:
    """The cremations of a simulated furnace, in order."""
    model = FurnaceModel(seed, index)
    for cycle in true_cycles(model, index, FIRST_MS, FIRST_MS + days * DAY_MS):
        begins = {phase.phase: phase.from_ms for phase in cycle.phases}
        from_ms = begins["charge"] // MINUTE_MS * MINUTE_MS - 2 * MINUTE_MS
        count = (cycle.to_ms - from_ms) // MINUTE_MS
        states = [model.at(at) for at in range(from_ms, from_ms + count * MINUTE_MS, STEP_MS)]
        shown = np.array([[getattr(state, name) for state in states] for name in QUANTITIES])
        value = shown.reshape(len(QUANTITIES), count, -1).mean(axis=2)
        phase = told_phases([begins.get(name) for name in PHASES], from_ms, count)
        yield Burn(cells(phase[None])[0], value)


def told_at(burn: Burn, value: Float64s, baseline: Baseline) -> dict[str, int]:
    """By quantity the first minute at whose end the detector tells of it."""
    window = _windows(burn.cell, value, baseline)
    anomalous = (detect(window).presence == Presence.ANOMALOUS).reshape(len(QUANTITIES), -1)
    return {QUANTITIES[at]: int(np.argmax(own)) for at, own in enumerate(anomalous) if own.any()}


def _windows(cell: Int64s, value: Float64s, baseline: Baseline) -> FewMinutes:
    """A row each quantity and minute: that minute and those before it."""
    expected = baseline.at(cell)

    def seen(column: Float64s) -> Float64s:
        padded = np.pad(column, ((0, 0), (WINDOW - 1, 0)), constant_values=np.nan)
        return np.asarray(sliding_window_view(padded, WINDOW, axis=1).reshape(-1, WINDOW))

    return _window(seen(value), seen(expected.low), seen(expected.high), seen(expected.deviation(value)))


def _window(value: Float64s, low: Float64s, high: Float64s, deviation: Float64s) -> FewMinutes:
    rows = len(value)
    ids, start_ms = np.arange(rows, dtype=np.int32), np.arange(WINDOW, dtype=np.int64)
    return FewMinutes(ids, start_ms, value, low, high, deviation, np.zeros((rows, WINDOW), np.int64))


def replay(index: int, seed: int, days: int) -> Outcome:
    """Live through a furnace's days; plant each fault in every cremation that had nothing unusual, on a copy."""
    outcome = Outcome(delays={name: [] for name in FAULTS}, missed=dict.fromkeys(FAULTS, 0))
    rng = np.random.default_rng(index)
    lessons: list[Float64s] = []
    why: list[HeldBack] = []
    for burn in burns(seed, index, days):
        used = [lessons[at] for at in teaching(why)]
        baseline = learn(np.array(used)) if used else Baseline(np.full(SHAPE, np.nan), np.full(SHAPE, np.nan))
        outcome.cremations += 1
        told = told_at(burn, burn.value, baseline)
        for quantity in told:
            outcome.false_alarms[quantity] = outcome.false_alarms.get(quantity, 0) + 1
        value = well_known(burn.cell, burn.value)
        why.append(held_back(burn.cell, value, baseline))
        lessons.append(lesson(burn.cell, value))
        outcome.held_back += why[-1] is not HeldBack.NOTHING
        if len(used) >= FEWEST and not told:
            _plant(burn, baseline, rng, outcome)
    outcome.watched_days = days * (1 - FEWEST / outcome.cremations)
    return outcome


def _plant(burn: Burn, baseline: Baseline, rng: np.random.Generator, outcome: Outcome) -> None:
    burning = np.flatnonzero(burn.cell != NO_CELL)
    for name, fault in FAULTS.items():
        onset = int(rng.choice(burning[:-20]))  # with time left to notice it
        told = told_at(burn, fault.on(burn.value, onset), baseline)
        if fault.quantity in told:
            outcome.delays[name].append(told[fault.quantity] + 1.0 - onset)
        else:
            outcome.missed[name] += 1


def costs(furnaces: int) -> dict[str, float]:
    """Processor time of a minute of a fleet, all of it burning, and of one cremation's teaching; ms."""
    rng = np.random.default_rng(1)
    lessons = on_scale(900.0 + rng.normal(size=(30, *SHAPE)))
    own = learn(lessons)
    fleet = Baseline(*(np.repeat(column[None], furnaces, axis=0) for column in (own.middle, own.sigma)))
    phase = np.repeat(np.array([[1.0, *[2.0] * 2, *[3.0] * 10, *[4.0] * 115]]), furnaces, axis=0)
    value = 900.0 + rng.normal(size=(furnaces, len(QUANTITIES), WINDOW))
    return {
        "minute_of_fleet_ms": _cpu_ms(partial(_minute, fleet, phase, value)),
        "points_of_minute_ms": _cpu_ms(partial(_points, fleet)),
        "teach_cremation_ms": _cpu_ms(lambda: learn(lessons)),
    }


def _minute(fleet: Baseline, phase: Float64s, value: Float64s) -> None:
    cell = cells(phase)[:, -WINDOW:]
    expected = fleet.at(cell)
    columns = (value, expected.low, expected.high, expected.deviation(value))
    value, low, high, deviation = (one.reshape(-1, WINDOW) for one in columns)
    detect(_window(value, low, high, deviation))


def _points(fleet: Baseline) -> None:
    expected = fleet.at(np.zeros((len(fleet.middle), 1), np.int64))
    start_ms = np.zeros(len(fleet.middle), np.int64)
    place = [(("furnace", "f"), ("home", "h"))] * len(start_ms)
    list(expected_points(place, Bounds(start_ms, expected.low[:, :, 0], expected.high[:, :, 0])))


def _cpu_ms(work: Callable[[], object], times: int = 5) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return round((time.process_time() - began) * 1000 / times, 1)


def summary(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Rates and delays of all furnaces together."""
    days = sum(one.watched_days for one in outcomes)
    false = sum(sum(one.false_alarms.values()) for one in outcomes)
    found: dict[str, object] = {
        "cremations": sum(one.cremations for one in outcomes),
        "held_back": sum(one.held_back for one in outcomes),
        "watched_furnace_days": round(days, 1),
        "false_alarms": false,
        "false_alarms_per_furnace_week": round(7 * false / days, 3),
        "false_alarms_per_furnace_month": round(MONTH_DAYS * false / days, 3),
    }
    for name in FAULTS:
        delays = np.array([delay for one in outcomes for delay in one.delays[name]])
        missed = sum(one.missed[name] for one in outcomes)
        found[f"{name}_found_pct"] = round(100 * len(delays) / max(1, len(delays) + missed), 1)
        found[f"{name}_delay_p50_min"] = float(np.percentile(delays, 50)) if len(delays) else None
        found[f"{name}_delay_p90_min"] = float(np.percentile(delays, 90)) if len(delays) else None
    return found


def main(argv: Sequence[str]) -> None:
    """Simulate some furnaces for some days and print how often something normal was called unusual."""
    parser = argparse.ArgumentParser(prog="baseline")
    parser.add_argument("--furnaces", type=int, default=7)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fleet", type=int, default=7_500, help="furnaces whose minute is measured")
    args = parser.parse_args(argv)
    print(machine(), flush=True)
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(partial(replay, seed=args.seed, days=args.days), range(1, args.furnaces + 1)))
    for index, one in enumerate(found, 1):
        print(f"furnace {index}: {one.cremations} cremations, {one.held_back} held back, false: {one.false_alarms}")
    print(json.dumps({"machine": machine(), **summary(found), "fleet": args.fleet, **costs(args.fleet)}))
