"""One furnace-year of minute data judged by four packs, and one minute of a whole fleet.

A slice is judged by a plain Python loop too: the same verdicts, and how much longer that takes.
"""

import argparse
import json
import math
import time
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Float64s, Int64s
from ingest_service.emissions.assessment import Evidence, assess
from ingest_service.emissions.limits import Basis, HourRows, Signal, Verdict, Verdicts
from ingest_service.emissions.marks import no_cycles
from ingest_service.emissions.normalise import to_reference_oxygen
from ingest_service.emissions.pack import Limit, Reference, RulePack
from ingest_service.emissions.periods import Periods, touched
from ingest_service.emissions.rulepack import load_pack
from ingest_service.emissions.running import Running, begin, outlook, tick
from ingest_service.emissions.units import Pollutant
from tests.bench.machine import machine

PACKS = ("gb13801-2015-table2", "de-27-bimschv", "no-pollution-regulations-10", "us-ny-6nycrr-219-4")
ZONE = ZoneInfo("Asia/Shanghai")
START_MS = 1_767_196_800_000  # 2026-01-01 00:00 in Shanghai
MINUTES_A_DAY = 1440
LEVELS = {
    Pollutant.CO: 60.0, Pollutant.SO2: 10.0, Pollutant.NOX: 90.0, Pollutant.HCL: 9.0, Pollutant.DUST: 5.0,
    Pollutant.OPACITY: 4.0, Pollutant.CHAMBER2_TEMPERATURE: 890.0,
}  # fmt: skip
GASES = tuple(pollutant for pollutant in Pollutant if pollutant.is_concentration)
NEEDED = 45


class Year(msgspec.Struct, frozen=True):
    """Minutes of one furnace, (hours, 60) each; a row per hour from START_MS on."""

    values: dict[Pollutant, Float64s]
    o2_pct: Float64s
    idle: NDArray[np.bool_]

    def rows(self, limit: Limit, hour_ms: Int64s) -> HourRows:
        """What judging wants of some hours."""
        at = (hour_ms - START_MS) // HOUR_MS
        present, o2 = np.ones(len(at), np.bool_), self.o2_pct[at]
        absent = Signal(np.full(o2.shape, np.nan), ~present)
        return HourRows(
            concentration=Signal(self.values[limit.pollutant][at], present),
            basis=np.full(len(at), int(Basis.DRY_STANDARD), np.int64),
            unit_known=present,
            o2=Signal(o2, present),
            o2_is_wet=~present,
            moisture=absent,
            stack_temperature=absent,
            stack_pressure=absent,
            excluded=self.idle[at],
            marked=np.zeros(o2.shape, np.bool_),
        )


def year(days: int, seed: int) -> Year:
    """A furnace that burns by day, with noise, lost minutes and now and then an hour over its limits."""
    source, shape = np.random.default_rng(seed), (days * 24, 60)
    burns = (np.arange(days * 24) % 24 < 10)[:, None] & np.ones(shape, np.bool_)
    swing = np.exp(source.normal(0.0, 0.5, (days * 24, 1)))
    values = {}
    for pollutant, level in LEVELS.items():
        spread = 0.02 if pollutant is Pollutant.CHAMBER2_TEMPERATURE else 0.3
        value = level * (swing if pollutant.is_concentration else 1.0) * source.normal(1.0, spread, shape)
        values[pollutant] = np.where(source.random(shape) < 0.02, np.nan, value)
    o2 = np.where(burns, source.normal(11.0, 2.0, shape), 20.9)
    return Year(values, np.clip(o2, 2.0, 20.9), ~burns)


def judge_year(given: Year, packs: Sequence[RulePack]) -> list[tuple[RulePack, Limit, Periods, Verdicts]]:
    """Every limit of every pack on every period."""
    hours = START_MS + np.arange(len(given.o2_pct), dtype=np.int64) * HOUR_MS
    furnace = np.ones(len(hours), np.int64)
    found = []
    for pack in packs:
        for limit in pack.judged:
            periods = touched(limit.averaging, furnace, hours, ZONE, no_cycles())
            evidence = Evidence(lambda _furnace, at, limit=limit: given.rows(limit, at), no_cycles(), ZONE, None)  # type: ignore[misc]
            found.append((pack, limit, periods, assess(periods, limit, pack, evidence)))
    return found


class Plain(msgspec.Struct, frozen=True):
    """An hour as a plain loop judges it."""

    verdict: Verdict
    mean: float


def judge_plainly(minutes: Iterable[tuple[float, float, bool]], reference: Reference, limit: Limit) -> Plain:
    """One hour of dry gas, minute by minute: value, oxygen, whether it is left out."""
    total, count, operating = 0.0, 0, 0
    for value, oxygen, out in minutes:
        operating += not out
        if out or math.isnan(value) or math.isnan(oxygen) or oxygen > reference.o2_max_pct:
            continue
        total += value * (reference.o2_base_pct - reference.o2_pct) / (reference.o2_base_pct - oxygen)
        count += 1
    mean = total / count if count else math.nan
    if not operating:
        return Plain(Verdict.NOT_JUDGED, mean)
    if count < NEEDED:
        return Plain(Verdict.INVALID, mean)
    return Plain(Verdict.EXCEEDED if mean > limit.limit else Verdict.WITHIN, mean)


def compare(given: Year, pack: RulePack, days: int) -> dict[str, float]:
    """The first days' hours by both ways: seconds of each, and in how many hours they differ."""
    limit = next(one for one in pack.limit if one.pollutant is Pollutant.CO)
    hours = days * 24
    assert pack.reference is not None
    columns = [part[:hours].tolist() for part in (given.values[limit.pollutant], given.o2_pct, given.idle)]
    began = time.perf_counter()
    plain = [judge_plainly(zip(*hour, strict=True), pack.reference, limit) for hour in zip(*columns, strict=True)]
    plain_s = time.perf_counter() - began
    slice_of = Year({limit.pollutant: given.values[limit.pollutant][:hours]}, given.o2_pct[:hours], given.idle[:hours])
    began = time.perf_counter()
    ((_, _, _, found),) = judge_year(slice_of, [msgspec.structs.replace(pack, limit=(limit,))])
    ours_s = time.perf_counter() - began
    same = [
        one.verdict == verdict and (math.isnan(one.mean) or math.isclose(one.mean, mean, rel_tol=1e-9))
        for one, verdict, mean in zip(plain, found.verdict.tolist(), found.mean.tolist(), strict=True)
    ]
    return {"slice_hours": hours, "slice_plain_s": plain_s, "slice_s": ours_s, "slice_differences": same.count(False)}


def fleet_tick(furnaces: int, pack: RulePack, rounds: int) -> dict[str, float]:
    """One minute of the whole fleet: every gas converted, the running hours carried on, each one's end foretold."""
    source, shape = np.random.default_rng(1), (furnaces, len(GASES))
    limits = np.broadcast_to(np.array([_limit_of(pack, gas) for gas in GASES]), shape)
    at_least, needed = np.zeros(shape, np.bool_), np.full(shape, NEEDED)
    measured = source.gamma(2.0, 20.0, (rounds, *shape))
    o2_pct = source.normal(12.0, 2.0, (rounds, furnaces, 1)).clip(3.0, 20.9)
    running, times = begin(shape), []
    for minute in range(rounds):
        began = time.process_time()
        running = _carried_on(running, measured[minute], o2_pct[minute], pack.reference, at_least)
        outlook(running, limits, needed, at_least)
        times.append((time.process_time() - began) * 1000)
        running = begin(shape) if running.elapsed == 60 else running
    return {"tick_furnaces": furnaces, "tick_ms": float(np.median(times)), "tick_worst_ms": max(times)}


def _carried_on(
    running: Running, c: Float64s, o2_pct: Float64s, reference: Reference | None, at_least: NDArray[np.bool_]
) -> Running:
    assert reference is not None
    figures = (reference.o2_pct, reference.o2_base_pct, reference.o2_max_pct)
    return tick(running, to_reference_oxygen(c, o2_pct, *figures), at_least)


def _limit_of(pack: RulePack, gas: Pollutant) -> float:
    limit = pack.limit_of(gas)
    assert limit is not None
    return limit.limit


def main(argv: list[str]) -> None:
    """Measure a year, a slice by a plain loop, and a tick of the fleet."""
    parser = argparse.ArgumentParser(prog="emission_year")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--furnaces", type=int, default=7500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    packs = [load_pack(name) for name in PACKS]
    given = year(args.days, args.seed)
    print(machine(), flush=True)
    began, cpu = time.perf_counter(), time.process_time()
    found = judge_year(given, packs)
    year_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    for pack, limit, periods, verdicts in found:
        counts = " ".join(f"{verdict.label} {(verdicts.verdict == verdict).sum()}" for verdict in Verdict)
        print(f"{pack.id:30} {limit.pollutant:22} {limit.averaging:12} {len(periods):8} periods: {counts}")
    figures = {
        "minutes": args.days * MINUTES_A_DAY,
        "packs": len(packs),
        "periods": sum(len(periods) for _, _, periods, _ in found),
        "year_s": round(year_s, 3),
        "year_cpu_s": round(cpu_s, 3),
        **compare(given, packs[0], min(60, args.days)),
        **fleet_tick(args.furnaces, packs[0], 120),
    }
    for name, figure in figures.items():
        print(f"{name:20} {figure:12g}")
    print(json.dumps({"machine": machine(), **figures}))
