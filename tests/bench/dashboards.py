"""What the first load of each Grafana dashboard costs on the embedded store: one furnace, then a fleet, of 24 hours."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import msgspec
import numpy as np

from dashboards.pages import pages
from dashboards.targets import Dialect
from dashboards.text import Locale
from dashboards.types import DashboardJson, PanelJson
from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from edge_agent.wire.quantity import quantities
from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.columns import Int64s
from ingest_service.config import Http
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from ingest_service.store.derived.point import Point, fields_of, tags_of
from ingest_service.workers.expected_points import Bounds, expected_points
from tests.bench.machine import machine
from tests.dashboards.asked import DATABASES, DAY, Span, in_influxql, length_ms, span_of
from tests.support.browser import served
from tests.support.city import HOUR_MS, LIMITS, MINUTE_MS, NOW_MS, RULE, VALUES, City, Furnace, empty_city

HOURS, A_SECOND, FURNACES_A_HOME = 24, 14, 5
FIRST_MS = NOW_MS // HOUR_MS * HOUR_MS - HOURS * HOUR_MS
ONE = (("home", "home-0"), ("furnace", "furnace-0"))
WINDOWS = ("30s", "1m", "2m", "5m", "10m", "15m", "20m", "30m", "1h", "3h", "12h", "1d")
ALL = (("home", ".*"), ("furnace", ".*"))


def main(argv: list[str]) -> None:
    """Print milliseconds; the last line is JSON."""
    parser = argparse.ArgumentParser(prog="dashboards")
    parser.add_argument("--furnaces", type=int, default=500)
    parser.add_argument("--raw", type=int, default=5, help="furnaces that have a day of samples, too")
    args = parser.parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory() as folder, empty_city(Path(folder) / "city", Http(port=0)) as city:
        furnaces = list(register(city, args.furnaces))
        rows = fill(city, furnaces, args.raw)
        print(
            f"{args.furnaces} furnaces: {rows['means']} minute means, {rows['points']} derived points, "
            f"{rows['samples']} samples"
        )
        with served(city) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            client.get("/ping").raise_for_status()
            figures = {f"one_{name}_ms": one for name, one in loads(client, ONE)}
            figures |= {f"fleet_{name}_ms": one for name, one in loads(client, ALL)}
    print(json.dumps({"furnaces": args.furnaces, **rows, **figures}))


def loads(client: httpx.Client, values: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, float]]:
    """The first load of each dashboard: all its queries one after the other, ms."""
    for dialect, locale, board, page in pages():
        of_many = all(one.many for one in board.variables)
        if (dialect, locale) == (Dialect.INFLUXQL, Locale.ZH) and (values is ONE or of_many):
            costs = list(load(client, page, values))
            total, worst = sum(ms for _, ms in costs), max(costs, key=lambda one: one[1])
            again = statistics.median(sum(ms for _, ms in load(client, page, values)) for _ in range(3))
            what = "one furnace" if values is ONE else "the fleet"
            longest = f"longest {worst[1]:.0f}: {worst[0]}"
            print(f"{board.name}, {what}: first {total:.0f} ms, {len(costs)} queries ({longest}), again {again:.0f} ms")
            yield board.name, round(total, 1)


def load(client: httpx.Client, page: DashboardJson, values: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, float]]:
    """What is asked when a dashboard is opened: variables, panels, annotations."""
    for variable in page.templating.list:
        if variable.datasource is not None and isinstance(variable.query, str):
            yield variable.name, ask(client, variable.query, variable.datasource.uid, DAY, values)
    for panel in page.panels:
        for target in panel.targets or []:
            yield panel.title, ask(client, target.query or "", target.datasource.uid, asked_for(panel), values)
    for one in page.annotations.list:
        if one.target is not None:
            yield one.name, ask(client, one.target.query or "", one.target.datasource.uid, DAY, values)


def asked_for(panel: PanelJson) -> Span:
    """The span with the window that Grafana chooses: the shortest that keeps within the panel's number of points."""
    span = span_of(panel)
    least_ms = (span.to_ms - span.from_ms) / (panel.max_data_points or 1_000)
    fitting = [one for one in WINDOWS if length_ms(one) >= max(least_ms * 0.75, span.interval_ms)]
    return msgspec.structs.replace(span, interval=fitting[0])


def ask(client: httpx.Client, text: str, uid: str, span: Span, values: tuple[tuple[str, str], ...]) -> float:
    """How long one query takes, ms."""
    query = in_influxql(text, msgspec.structs.replace(span, values=values)) if values is ONE else everywhere(text, span)
    begun = time.perf_counter()
    answer = client.post("/query", params={"db": DATABASES[uid], "epoch": "ms"}, data={"q": query})
    answer.raise_for_status()
    assert '"error"' not in answer.text[:200], answer.text[:200]
    return (time.perf_counter() - begun) * 1000


def everywhere(text: str, span: Span) -> str:
    """With "All" chosen, which Grafana sends as it stands."""
    text = text.replace("$home", ".*").replace("$furnace", ".*")
    return in_influxql(text, msgspec.structs.replace(span, values=()))


def register(city: City, count: int) -> Iterator[Furnace]:
    """Furnaces of every quantity, five a home."""
    channels = tuple(
        ChannelBirth(name=name, alias=None, datatype=DataType.DOUBLE, unit=quantities()[name].unit, quantity=name,
                     period_s=10.0, basis="")
        for name in VALUES
    )  # fmt: skip
    for number in range(count):
        home, name = f"home-{number // FURNACES_A_HOME}", f"furnace-{number % FURNACES_A_HOME}"
        if number % FURNACES_A_HOME == 0:
            city.registry.register_node(home, "gateway", Birth(channels=(), attributes={}), NOW_MS)
        source = city.registry.register_device(
            home, "gateway", name, Birth(channels=channels, attributes={"Furnace": name})
        )
        yield Furnace(source.furnace_id or 0, home, name, dict(source.series))


def fill(city: City, furnaces: list[Furnace], raw: int) -> dict[str, int]:
    """A day of means and derived points of all, and of samples of some; how many there are."""
    rng, ids = np.random.default_rng(1), np.array([one for own in furnaces for one in own.series.values()], np.int32)
    sampled = np.array([one for own in furnaces[:raw] for one in own.series.values()], np.int32)
    rows = {"means": 0, "points": 0, "samples": 0}
    for hour_ms in range(FIRST_MS, NOW_MS, HOUR_MS):
        starts = np.arange(hour_ms, min(hour_ms + HOUR_MS, NOW_MS // MINUTE_MS * MINUTE_MS), MINUTE_MS)
        rows["means"] += write_means(city, rng, ids, starts)
        made = [*points_of(furnaces, hour_ms, starts.tolist())]
        if hour_ms // HOUR_MS % 3 == 0:  # a furnace burns eight hours a day
            made += expected_of(furnaces, starts)
        city.derived.write(made)
        rows["points"] += sum(len(point.fields) for point in made)
        at_ms = hour_ms + np.repeat(np.arange(3600) * 1000, A_SECOND * max(1, raw))
        at_ms = at_ms[at_ms < NOW_MS]
        city.store.write(
            SampleBatch(
                rng.choice(sampled, len(at_ms)), at_ms, rng.normal(40, 5, len(at_ms)), np.zeros(len(at_ms), np.uint8)
            )
        )
        rows["samples"] += len(at_ms)
        city.store.seal(hour_ms - HOUR_MS)
    return rows


def write_means(
    city: City,
    rng: np.random.Generator,
    ids: "np.ndarray[tuple[int], np.dtype[np.int32]]",
    starts: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> int:
    """Minute means of an hour of all series, and their hour means."""
    nothing = DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))
    parts = []
    for times in (starts, starts[:1]):
        mean = rng.normal(40, 5, len(ids) * len(times))
        covered = np.ones(len(mean), np.float32)
        parts.append(MeanBatch(np.repeat(ids, len(times)), np.tile(times, len(ids)), mean, mean - 1, mean + 1, covered))
    city.store.write_means(parts[0], parts[1], nothing)
    return len(parts[0])


def expected_of(furnaces: list[Furnace], start_ms: Int64s) -> Iterator[Point]:
    """What they are expected to show."""
    usual = np.tile([VALUES[name] for name in QUANTITIES], (len(start_ms), 1))
    bounds = Bounds(start_ms, usual - 1.0, usual + 1.0)
    for own in furnaces:
        yield from expected_points([tags_of(home=own.home, furnace=own.name)] * len(start_ms), bounds)


def points_of(furnaces: Iterable[Furnace], hour_ms: int, minutes: list[int]) -> Iterator[Point]:
    """What the service derives in an hour, in the same measure."""
    homes = sorted({furnace.home for furnace in furnaces})
    for at_ms in minutes:
        for furnace in furnaces:
            fields = fields_of(phase=4.0, headroom_pct=35.0, alarms=0.0, age_s=1.0, burning=1.0, beyond=0.0)
            names = {
                f"{level}{part}_{locale}": f"{name}/{name}" if part else name
                for level, name in (("home", furnace.home), ("furnace", furnace.name))
                for part in ("", "_choice")
                for locale in ("zh", "en")
            }
            yield Point("furnace", tags_of(home=furnace.home, furnace=furnace.name, **names), at_ms, fields)
        for home in homes:
            fields = fields_of(
                online=1.0,
                silent=0.0,
                silent_s=0.3,
                lag_s=0.8,
                clock_offset_ms=12.0,
                outbox_blocks=1.0,
                outbox_oldest_s=0.4,
            )
            yield Point("edge", tags_of(home=home, edge="gateway", home_zh=home, home_en=home), at_ms, fields)
            for severity in ("critical", "high", "medium", "low"):
                yield Point(
                    "alarm", tags_of(home=home, severity=severity), at_ms, fields_of(open=0.0, unacknowledged=0.0)
                )
        yield Point(
            "service",
            (),
            at_ms,
            fields_of(
                lag_s=0.3,
                queued_messages=0.0,
                disk_bytes=1e9,
                free_bytes=1e10,
                samples_rejected=0.0,
                deliveries_pending=0.0,
                deliveries_dead=0.0,
            ),
        )
    for furnace in furnaces:
        place = {
            "home": furnace.home, "home_zh": furnace.home, "home_en": furnace.home,
            "furnace": furnace.name, "furnace_zh": furnace.name, "furnace_en": furnace.name,
        }  # fmt: skip
        gases = {name: limit / 3 for name, limit in LIMITS.items()}
        covered = {f"{name}_covered": 1.0 for name in ("flue_o2", "co", "chamber2_temperature")}
        yield Point("measured", tags_of(**place), hour_ms, fields_of(**gases, **covered))
        yield Point("completeness", tags_of(**place), hour_ms, fields_of(covered_pct=99.0, channels=36.0))
        yield Point(
            "energy",
            tags_of(**place),
            hour_ms,
            fields_of(gas_m3=40.0, gas_idle_m3=4.0, electricity_kwh=50.0, electricity_idle_kwh=3.0),
        )
        yield Point(
            "cycle",
            tags_of(**place),
            hour_ms + 600_000,
            fields_of(duration_s=3600.0, gas_m3=38.0, electricity_kwh=47.0, co2_kg=74.0, holds=1.0, count=1.0),
        )
        for pollutant, limit in LIMITS.items():
            fields = fields_of(
                mean=limit / 2,
                limit=limit,
                headroom_pct=50.0,
                valid=1.0,
                exceeded=0.0,
                valid_minutes=60.0,
                capture_pct=100.0,
                state=0.0,
            )
            yield Point(
                "average", tags_of(**place, pollutant=pollutant, period="clock_hour", rule=RULE), hour_ms, fields
            )
