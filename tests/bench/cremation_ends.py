"""What the ends of cremations cost: the hot hours of a fleet in the real store, and the worker that looks at them."""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.schedule import Rhythm, Schedule
from ingest_service.columns import Float64s, Int32s, Int64s
from ingest_service.cycles.settings import Cremations
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from ingest_service.store.cycles import CycleStore
from ingest_service.store.energy import EnergyStore
from ingest_service.workers.cycle_reading import CycleSite
from ingest_service.workers.cycles import INTERVAL_S, CycleWorker
from tests.bench.machine import machine
from tests.support.city import HOUR_MS, MINUTE_MS, VALUES, City, empty_city
from tests.support.country import register

START = 495_000 * HOUR_MS
SEALED_HOURS, HOT_HOURS = 1, 2  # before the running hour
APART_S = 97  # between the same moment at one furnace and at the next
AT_ONCE = 10  # seconds written at once
WHOLE = 7_500  # furnaces of a country
SITE = CycleSite(ZoneInfo("Asia/Shanghai"), 101_325.0, Cremations(stack_area_m2=0.2))


class Spent(msgspec.Struct):
    """What steps of the worker took, s, and how many furnaces or hours they looked at."""

    looked: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    longest_s: float = 0.0

    def step(self, worker: CycleWorker, now_ms: int) -> None:
        """One step of the worker, measured."""
        cpu, wall = time.process_time(), time.perf_counter()
        self.looked += worker.step(now_ms)
        took = time.perf_counter() - wall
        self.cpu_s += time.process_time() - cpu
        self.wall_s += took
        self.longest_s = max(self.longest_s, took)

    @property
    def ms_each(self) -> float:
        """Of the processor, for each that was looked at."""
        return round(1000 * self.cpu_s / max(1, self.looked), 2)


def main(argv: list[str]) -> None:
    """Print what a look costs; the last line is JSON."""
    parser = argparse.ArgumentParser(prog="cremation_ends")
    parser.add_argument("--furnaces", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=12, help="of the running hour, in which cremations end")
    args = parser.parse_args(argv)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder, empty_city(Path(folder) / "city") as city:
        furnaces = register(city, args.furnaces // 2, 2)
        series = np.array([list(one.series.values()) for one in furnaces], np.int32)
        now_ms = START + (SEALED_HOURS + HOT_HOURS) * HOUR_MS + 40 * MINUTE_MS
        rows = fill(city, series, now_ms + args.minutes * MINUTE_MS)
        print(f"{len(furnaces)} furnaces: {rows} samples, {city.store.status().hot_rows} of them hot", flush=True)
        cycles = CycleStore(city.engine)
        worker = CycleWorker(
            city.store, city.channels, cycles, EnergyStore(city.engine), SITE, lambda *_told: None, lambda: now_ms
        )
        begun = Spent()
        begun.step(worker, now_ms)
        print(f"start: {begun.looked} looked at, {begun.cpu_s:.1f} s", flush=True)
        known = len(cycles.cycles(START, now_ms + HOUR_MS))
        ends = Spent()
        for at_ms in range(now_ms, now_ms + args.minutes * MINUTE_MS, round(INTERVAL_S * 1000)):
            ends.step(worker, at_ms)
        found = len(cycles.cycles(START, now_ms + HOUR_MS)) - known
    hourly_s = ends.cpu_s * WHOLE / len(furnaces) * 60 / args.minutes
    print(
        f"ends: {ends.looked} looks, {found} cremations found, {ends.ms_each} ms each, "
        f"longest step {ends.longest_s:.2f} s"
    )
    figures = {
        "furnaces": len(furnaces), "samples": rows, "looks": ends.looked, "found": found, "ms_each": ends.ms_each,
        "longest_step_s": round(ends.longest_s, 2), "start_s": round(begun.cpu_s, 2),
        "cores_of_a_country_if_linear": round(hourly_s / 3600, 3),
    }  # fmt: skip
    print(json.dumps(figures))


def fill(city: City, series: Int32s, to_ms: int) -> int:
    """Samples of every second, minute means, and the first hours sealed; how many samples."""
    shown = curves((to_ms - START) // 1000 + APART_S * 60)
    rows, nothing = 0, DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))
    for from_ms, values in minutes(series, shown, to_ms):
        times = from_ms + np.arange(60, dtype=np.int64) * 1000
        for at in range(0, 60, AT_ONCE):
            part = values[:, :, at : at + AT_ONCE].transpose(2, 0, 1)
            city.store.write(batch(series, times[at : at + AT_ONCE], part))
            rows += part.size
        city.store.write_means(means(series, from_ms, values), means(series[:0], from_ms, values[:0]), nothing)
        if from_ms >= START + SEALED_HOURS * HOUR_MS:
            city.store.seal(START + SEALED_HOURS * HOUR_MS)
    return rows


def curves(seconds: int) -> Float64s:
    """What one furnace shows, a row for each of VALUES, with the noise of the last digit."""
    model = FurnaceModel(7, 7, Schedule(Rhythm.ALWAYS_BURNING))
    states = [model.at(START + second * 1000) for second in range(0, seconds, 10)]
    columns = np.array([[getattr(state, name, VALUES[name]) for state in states] for name in VALUES], np.float64)
    each = np.repeat(columns, 10, axis=1)[:, :seconds]
    steady = np.array([len(set(column.tolist())) < 20 for column in columns])
    noise = np.random.default_rng(1).integers(-1, 2, each.shape) * 0.1
    return np.where(steady[:, None], each, np.round(each + noise, 1))


def minutes(series: Int32s, shown: Float64s, to_ms: int) -> Iterator[tuple[int, Float64s]]:
    """Each minute with what every furnace shows in it: (furnaces, channels, seconds)."""
    apart = np.arange(len(series)) % 60 * APART_S
    for from_ms in range(START, to_ms, MINUTE_MS):
        first = (from_ms - START) // 1000 + apart
        yield from_ms, np.stack([shown[:, at : at + 60] for at in first.tolist()])


def batch(series: Int32s, times: Int64s, values: Float64s) -> SampleBatch:
    """Some seconds of all furnaces, second by second as they come."""
    return SampleBatch(
        np.tile(series.ravel(), len(times)),
        np.repeat(times, series.size),
        values.ravel(),
        np.zeros(values.size, np.uint8),
    )


def means(series: Int32s, from_ms: int, values: Float64s) -> MeanBatch:
    """The minute's means of all furnaces."""
    starts = np.full(series.size, from_ms, np.int64)
    mean, low, high = values.mean(axis=2), values.min(axis=2), values.max(axis=2)
    covered = np.ones(series.size, np.float32)
    return MeanBatch(series.ravel(), starts, mean.ravel(), low.ravel(), high.ravel(), covered)
