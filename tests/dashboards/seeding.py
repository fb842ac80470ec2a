"""One day of one furnace in each kind of store, and what the service derives of it."""

from collections.abc import Collection, Sequence

import numpy as np

from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason
from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.config import Retention
from ingest_service.emissions.rulepack import load_pack
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from ingest_service.store.channels import read_channels
from ingest_service.store.cycle_tables import Cremation, EnergyHour
from ingest_service.store.derived.influx import InfluxDerived
from ingest_service.store.derived.point import Admits, DerivedColumn, DerivedStore, Point, Tags, tags_of
from ingest_service.store.derived.victoria import VictoriaDerived
from ingest_service.store.influx import InfluxEngine
from ingest_service.store.judged_tables import Judgement, Mark
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.remote.catalogue import Catalogue
from ingest_service.store.remote.connection import Address
from ingest_service.store.victoria import VictoriaEngine
from ingest_service.store.victoria.engine import Nodes
from ingest_service.workers.derive import DeriveWorker, Sources
from ingest_service.workers.expected_points import Bounds, expected_points
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS, RULE, VALUES, ZONE, City, Furnace, stuck
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics

BUCKET = "dashboards"
HOURS = 25
THIS_HOUR_MS = NOW_MS // HOUR_MS * HOUR_MS


class Everywhere(DerivedStore):
    """Writes what is derived to several stores; reads from the first."""

    def __init__(self, stores: Sequence[DerivedStore]) -> None:
        self._stores = stores

    def write(self, points: Sequence[Point]) -> None:
        for store in self._stores:
            store.write(points)

    def read(
        self,
        measurement: str,
        admits: Admits,
        from_ms: int,
        to_ms: int,
        fields: Collection[str] | None = None,
        where: Tags = (),
    ) -> list[DerivedColumn]:
        return self._stores[0].read(measurement, admits, from_ms, to_ms, fields, where)

    def retire(self, retention: Retention, now_ms: int) -> None:
        for store in self._stores:
            store.retire(retention, now_ms)

    def close(self) -> None:
        for store in self._stores:
            store.close()


def seed(city: City, influx: InfluxDB, victoria: VictoriaMetrics) -> None:
    """Everything that panels ask for, the same in the embedded store, InfluxDB and VictoriaMetrics."""
    furnace = city.furnaces[0]
    add_edge_figures(city)
    add_records(city, furnace)
    for suffix in ("", "_minute", "_hour"):
        influx.question(f'CREATE DATABASE "{BUCKET}{suffix}"').raise_for_status()
    write_series(city, furnace, influx, victoria)
    derived: list[DerivedStore] = [
        city.derived,
        InfluxDerived(Address(url=influx.url), BUCKET),
        VictoriaDerived(Address(url=victoria.url), victoria.url),
    ]
    everywhere = Everywhere(derived)
    worker = DeriveWorker(sources(city), everywhere, lambda: city.now_ms)
    for age in (*range(53, 45, -1), *range(9, -1, -1)):
        worker.step(NOW_MS - age * MINUTE_MS)
    everywhere.write(expectations(furnace))
    for store in derived[1:]:
        store.close()
    victoria.flush()


def sources(city: City) -> Sources:
    """Where the worker of this city reads."""
    return Sources(
        reader=Reader(city.engine, Scope()),
        store=city.store,
        channels=lambda: read_channels(city.engine),
        live=city.live,
        edges=lambda: city.edges,
        previews=lambda: city.previews,
        counters=lambda: city.counters,
        packs=(load_pack("gb13801-2015-table2"),),
        zone=ZONE,
        silent_after_s=60.0,
    )


def add_edge_figures(city: City) -> None:
    """What an edge of ours says of itself."""
    channels = tuple(
        ChannelBirth(name=name, alias=None, datatype=DataType.DOUBLE, unit="", quantity="", period_s=10.0, basis="")
        for name in ("outbox_depth", "outbox_oldest_s")
    )
    city.registry.register_device("beishan", "gateway", "", Birth(channels=channels, attributes={}))
    own = {row.channel: row.series_id for row in read_channels(city.engine).rows if row.device == ""}
    city.measure(Furnace(0, "beishan", "", own), {"outbox_depth": 3.0, "outbox_oldest_s": 1.5})


def add_records(city: City, furnace: Furnace) -> None:
    """Verdicts on what packs of other countries limit too, cremations, energy, a mark that was withdrawn."""
    judged = {"opacity": ("%", 20.0, 4.0), "chamber2_temperature": ("°C", 850.0, 904.0)}
    city.insert(Judgement, *(
        {"furnace_id": furnace.id, "rule": RULE, "pollutant": name, "start_ms": THIS_HOUR_MS - age * HOUR_MS,
         "end_ms": THIS_HOUR_MS - (age - 1) * HOUR_MS, "mean": mean + age / 10, "peak": mean, "limit": limit,
         "unit": unit, "valid_minutes": 60, "verdict": "within", "revision": 0, "computed_at_ms": NOW_MS}
        for name, (unit, limit, mean) in judged.items() for age in range(1, 20)
    ))  # fmt: skip
    city.insert(Cremation, *(cremation(furnace, number) for number in range(6)))
    used: list[dict[str, object]] = [
        {"furnace_id": furnace.id, "start_ms": THIS_HOUR_MS - age * HOUR_MS, "gas_m3": 30.0 + age,
         "gas_in_cycles_m3": 20.0, "electricity_kwh": 50.0 + age, "electricity_in_cycles_kwh": 41.5,
         "burning_s": 1800.0, "hot_idle_s": 600.0}
        for age in range(1, HOURS)
    ]  # fmt: skip
    city.insert(EnergyHour, *used)
    city.observe(stuck(furnace, NOW_MS - 3 * HOUR_MS))
    city.insert(Mark, *(
        {"furnace_id": furnace.id, "act": "entered", "state": state, "start_ms": THIS_HOUR_MS - hours * HOUR_MS,
         "end_ms": THIS_HOUR_MS - hours * HOUR_MS + 20 * MINUTE_MS, "reason": "换滤袋", "who": "王建国",
         "recorded_at_ms": NOW_MS}
        for hours, state in ((5, "maintenance"), (8, "calibration"))
    ))  # fmt: skip


def write_series(city: City, furnace: Furnace, influx: InfluxDB, victoria: VictoriaMetrics) -> None:
    """Samples, minute and hour means of every channel."""
    catalogue = Catalogue(city.engine)
    address = Address(url=influx.url)
    nodes = Nodes(read_url=victoria.url, metrics=(f"{victoria.url}/metrics",))
    engines = (
        InfluxEngine(address, BUCKET, catalogue),
        VictoriaEngine(Address(url=victoria.url), nodes, catalogue, hold_s=0.0),
    )
    samples, nothing = day_of_samples(furnace), DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))
    minutes = day_of_means(furnace, NOW_MS // MINUTE_MS * MINUTE_MS, HOURS * 60, MINUTE_MS)
    hours = day_of_means(furnace, THIS_HOUR_MS, HOURS, HOUR_MS)
    city.store.write(samples)
    city.store.write_means(minutes, hours, nothing)
    stored = city.store.raw(sorted(furnace.series.values()), NOW_MS - 30 * HOUR_MS, NOW_MS)
    for engine in engines:
        assert engine.write_samples(stored, lambda _seconds: None) == []
        engine.write_means(MINUTE_MS, minutes, lambda _seconds: None)
        engine.write_means(HOUR_MS, hours, lambda _seconds: None)
        engine.close()


def day_of_samples(furnace: Furnace) -> SampleBatch:
    """A sample a minute of every channel, some of them bad, half a second after the minute."""
    rng, ids = np.random.default_rng(7), np.array(sorted(furnace.series.values()), np.int32)
    names = {series: name for name, series in furnace.series.items()}
    times = NOW_MS // MINUTE_MS * MINUTE_MS - np.arange(HOURS * 60, 0, -1, dtype=np.int64) * MINUTE_MS + 500
    series, at_ms = np.repeat(ids, len(times)), np.tile(times, len(ids))
    value = np.array([VALUES[names[one]] for one in ids.tolist()])[np.repeat(np.arange(len(ids)), len(times))]
    value = np.where(series == furnace.series["phase"], np.tile(np.arange(len(times)) // 25 % 7, len(ids)), value)
    reason = np.where(rng.random(len(series)) < 0.05, np.uint8(Reason.WIRE_BREAK), np.uint8(0))
    return SampleBatch(series, at_ms, np.where(reason > 0, np.nan, value), reason)


def day_of_means(furnace: Furnace, end_ms: int, count: int, period_ms: int) -> MeanBatch:
    """Means of every channel round its value, some without any."""
    rng, names = np.random.default_rng(period_ms), sorted(furnace.series, key=furnace.series.__getitem__)
    ids = np.array([furnace.series[name] for name in names], np.int32)
    starts = end_ms - np.arange(count, 0, -1, dtype=np.int64) * period_ms
    mean = np.repeat([VALUES[name] for name in names], count) * rng.normal(1, 0.05, count * len(ids)).round(4)
    covered = rng.choice(np.array([0.0, 0.75, 1.0], np.float32), len(mean), p=[0.05, 0.1, 0.85])
    mean = np.where(covered > 0, mean, np.nan)
    return MeanBatch(np.repeat(ids, count), np.tile(starts, len(ids)), mean, mean - 1, mean + 1, covered)


def expectations(furnace: Furnace) -> list[Point]:
    """What the furnace is expected to show while it burns, two hours in three."""
    end_ms = NOW_MS // MINUTE_MS * MINUTE_MS
    start_ms = np.array([end_ms - age * MINUTE_MS for age in range(1, HOURS * 60) if age // 60 % 3], np.int64)
    usual = np.array([VALUES[name] for name in QUANTITIES]) * (1 + start_ms[:, None] // MINUTE_MS % 7 / 100)
    place = tags_of(home=furnace.home, furnace=furnace.name)
    bounds = Bounds(start_ms, usual - np.abs(usual) / 9, usual + np.abs(usual) / 9)
    return list(expected_points([place] * len(start_ms), bounds))


def cremation(furnace: Furnace, number: int) -> dict[str, object]:
    """A row of a cremation; the sixth was withdrawn."""
    start_ms = THIS_HOUR_MS - (number + 2) * 2 * HOUR_MS + 60_500
    return {
        "furnace_id": furnace.id, "case_number": f"c{number}", "found_by": "phase", "start_ms": start_ms,
        "charge_ms": start_ms + 12 * MINUTE_MS, "end_ms": start_ms + 95 * MINUTE_MS, "start_kind": "warm",
        "covered_share": 0.98, "chamber2_least_c": 861.0, "chamber2_limit_c": 850.0, "chamber2_below_s": 0.0,
        "co_peak": 180.0, "co_mean": 41.0, "gas_m3": 25.0 + number, "electricity_kwh": 40.0 + number,
        "co2_kg": 49.0 + number, "co2_kg_per_m3": 1.96, "revision": 0, "computed_at_ms": NOW_MS,
        "withdrawn": number == 5,
    }  # fmt: skip
