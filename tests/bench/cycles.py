"""How exactly cremations are found from what sensors show: many simulated furnaces, phase and counter hidden."""

import argparse
import json
import time
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from edge_agent.simulator.schedule import Rhythm
from edge_agent.simulator.truth import TrueCycle
from ingest_service.cycles.cycle import Cycle
from ingest_service.cycles.signals import QUANTITIES, Signals
from tests.bench.machine import machine
from tests.ingest_service.cycles.plants import TOLD, Plant, charge_of, found_in, matched, plant

NEAR_MS = 10 * 60_000
PHASES = ("charge", "ignition", "main", "burnout", "cooling")
FINEST = {"burner1_modulation": 0.5, "combustion_fan_frequency": 0.1, "flue_o2": 0.1, "chamber2_temperature": 2.0}


class Scores(msgspec.Struct):
    """Errors in seconds by what they are of; how many there were, were missed and were found without being there."""

    errors: dict[str, list[float]]
    true: int = 0
    missed: int = 0
    invented: int = 0


def noisy(signals: Signals, amount: float, seed: int) -> Signals:
    """The same with white noise on top of the simulator's own, `amount` times what a good sensor shows."""
    rng, columns = np.random.default_rng(seed), signals.columns.copy()
    for name, deviation in FINEST.items():
        columns[QUANTITIES.index(name)] += rng.normal(0.0, amount * deviation, len(signals))
    return msgspec.structs.replace(signals, columns=columns)


def score(own: Plant, found: list[Cycle], scores: Scores) -> None:
    """Hold what was found against what is true."""
    first_ms, last_ms = charge_of(own.truth[0]) - NEAR_MS, charge_of(own.truth[-1]) + NEAR_MS
    within = [one for one in found if first_ms <= one.charge_ms <= last_ms]
    pairs = [pair for pair in matched(own, within) if abs(pair[1].charge_ms - charge_of(pair[0])) <= NEAR_MS]
    scores.true += len(own.truth)
    scores.missed += len(own.truth) - len(pairs)
    scores.invented += len(within) - len({cycle.case_number for _, cycle in pairs})
    for true, cycle in pairs:
        for name, error_s in _errors(true, cycle):
            scores.errors.setdefault(name, []).append(error_s)


def _errors(true: TrueCycle, cycle: Cycle) -> Iterator[tuple[str, float]]:
    yield "start", (cycle.start_ms - true.from_ms) / 1000
    yield "end", (cycle.end_ms - true.to_ms) / 1000
    for phase in true.phases:
        if phase.phase in PHASES:
            at_ms = getattr(cycle, f"{phase.phase}_ms")
            yield phase.phase, 1e9 if at_ms is None else (at_ms - phase.from_ms) / 1000


def figures(scores: Scores) -> dict[str, float]:
    """Shares and percentiles of the errors, s."""
    told: dict[str, float] = {"cremations": scores.true, "missed": scores.missed, "invented": scores.invented}
    ends = np.abs(scores.errors["start"] + scores.errors["end"])
    inner = np.abs([error for name in PHASES for error in scores.errors[name]])
    told["ends_worst_s"] = float(ends.max())
    told["ends_within_30s_pct"] = round(float((ends <= 30).mean() * 100), 2)
    told["phases_within_60s_pct"] = round(float((inner <= 60).mean() * 100), 2)
    for name, errors in scores.errors.items():
        told[f"{name}_p95_s"] = float(np.percentile(np.abs(errors), 95))
    return told


def show(scores: Scores) -> None:
    """The distribution of the errors of each boundary."""
    print(f"{'boundary':10} {'n':>6} {'median':>8} {'p5':>8} {'p95':>8} {'worst':>8}   (s, found minus true)")
    for name in ("start", *PHASES, "end"):
        errors = np.array(scores.errors[name])
        low, middle, high = np.percentile(errors, [5, 50, 95])
        worst = errors[np.argmax(np.abs(errors))]
        print(f"{name:10} {len(errors):6} {middle:8.1f} {low:8.1f} {high:8.1f} {worst:8.1f}")


def main(argv: Sequence[str]) -> None:
    """Find the cremations of some furnaces of each rhythm, and print how far off they were."""
    parser = argparse.ArgumentParser(prog="cycles")
    parser.add_argument("--seeds", type=int, default=10, help="furnaces of each rhythm")
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--step", type=float, default=5.0, help="between two readings, s")
    parser.add_argument("--noise", type=float, default=0.0, help="more noise: 1 is as much as a good sensor has")
    args = parser.parse_args(argv)
    print(machine(), flush=True)
    scores, spent_s = Scores(errors={}), 0.0
    for rhythm in Rhythm:
        for seed in range(1, args.seeds + 1):
            own = plant(seed, rhythm, args.hours, round(args.step * 1000))
            signals = noisy(own.without(*TOLD), args.noise, seed)
            began = time.process_time()
            found = found_in(signals)
            spent_s += time.process_time() - began
            score(own, found, scores)
        print(f"{rhythm}: {scores.true} cremations so far, {scores.missed} missed", flush=True)
    show(scores)
    cost_ms = round(spent_s * 1000 / max(1, scores.true), 2)
    print(json.dumps({"machine": machine(), **figures(scores), "cpu_ms_a_cremation": cost_ms}))
