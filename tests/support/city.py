"""A small city for tests of page and API: real database, real store, real live table; only the clock is ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from edge_agent.wire.quantity import quantities
from edge_agent.wire.sample import Reason
from ingest_service.alarms.facts import ExceedanceFacts, Name, SilentFacts, StuckFacts
from ingest_service.alarms.lifecycle import Condition, Place
from ingest_service.alarms.messages import INBOXES
from ingest_service.api.context import Check, Context
from ingest_service.api.health import answers, broker_check, ingest_check, store_check
from ingest_service.config import Config, Http
from ingest_service.emissions.charging import ChargeAdvice
from ingest_service.emissions.explanation import Explanation
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.rulepack import LimitUnit, Pollutant, load_pack
from ingest_service.intake.counters import IngestCounters
from ingest_service.intake.edge_view import EdgeView
from ingest_service.people.sealing import Sealer
from ingest_service.people.settings import People, SignIn
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.audit import AuditTrail
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from ingest_service.store.channels_cache import ChannelsCache
from ingest_service.store.deliveries import DeliveryStore
from ingest_service.store.derived.embedded import EmbeddedDerived
from ingest_service.store.embedded.store import EmbeddedStore
from ingest_service.store.judged_tables import Exceedance, Judgement
from ingest_service.store.live import LiveTable
from ingest_service.store.marks import MarkStore
from ingest_service.store.organisation import open_people
from ingest_service.store.overview import Reader, ping
from ingest_service.store.registry import Registry
from ingest_service.store.remarks import RemarkLog
from ingest_service.store.tables import Rejection, Table
from tests.support.database import new_database

NOW_MS = int(datetime(2026, 3, 10, 2, 42, 17, tzinfo=UTC).timestamp() * 1000)  # 10:42:17 in Shanghai
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
ZONE = ZoneInfo("Asia/Shanghai")
RULE = "gb13801-2015-table2@1"

HOMES = {
    "beishan": ("北山殡仪馆", "Beishan Funeral Home", "城北区", "Chengbei District", 3),
    "donghu": ("东湖殡仪馆", "Donghu Funeral Home", "东湖区", "Donghu District", 2),
    "nanping": ("南屏殡仪馆", "Nanping Funeral Home", "南屏区", "Nanping District", 2),
}
BOOLEANS = {"burner1_on", "burner2_on", "charge_door_open", "ash_door_open", "trolley_in"}
# A burning furnace's values; what is not named here reads 12.3.
VALUES = {
    "chamber1_temperature": 861.0, "chamber2_temperature": 904.0, "chamber_draught": -18.0, "flue_o2": 9.84, "co": 42.7,
    "so2": 11.2, "nox": 121.0, "hcl": 14.6, "dust": 6.31, "opacity": 3.4, "stack_temperature": 156.0,
    "stack_pressure": -212.0,
    "stack_velocity": 11.8, "stack_moisture": 9.6, "cooler_outlet_temperature": 188.0,
    "filter_inlet_temperature": 171.0,
    "filter_pressure_drop": 1142.0, "lime_dosing": 4.2, "carbon_dosing": 0.61, "burner1_on": 0.0, "burner2_on": 1.0,
    "burner1_modulation": 0.0, "burner2_modulation": 34.0, "combustion_fan_frequency": 38.2,
    "induced_fan_frequency": 41.7,
    "induced_fan_current": 62.5, "charge_door_open": 0.0, "ash_door_open": 0.0, "trolley_in": 1.0, "gas_flow": 38.4,
    "gas_total": 182_431.6, "electricity_power": 46.2, "electricity_total": 96_120.0, "phase": 4.0,
    "cremations_total": 3171.0,
    "scan_counter": 88_123.0,
}  # fmt: skip
LIMITS = {"dust": 30.0, "so2": 30.0, "nox": 200.0, "co": 150.0, "hcl": 30.0}
SO_FAR = {"dust": 8.1, "so2": 13.4, "nox": 139.0, "co": 51.9, "hcl": 17.2}


class Furnace(msgspec.Struct, frozen=True):
    """A furnace of the test city and its series by channel, which is named as its quantity."""

    id: int
    home: str
    name: str
    series: dict[str, int]


class City:
    """Everything that a test may turn: time, values, edges, alarms. Close it after use."""

    def __init__(self, folder: Path, http: Http | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.now_ms = NOW_MS
        self.engine: Engine = new_database(folder)
        self.registry = Registry(self.engine)
        self.channels = ChannelsCache(self.registry).current
        self.store = EmbeddedStore(folder / "store")
        self.derived = EmbeddedDerived(folder / "derived")
        self.live = LiveTable()
        self.trail = AuditTrail(self.engine)
        self.alarms = AlarmStore(self.engine, INBOXES, ZONE, self.trail)
        self.counters = IngestCounters()
        self.edges: list[EdgeView] = []
        self.previews: list[Preview] = []
        self.advice: list[ChargeAdvice] = []
        self.marked: list[tuple[int, int, int]] = []
        self.explanations: list[Explanation] = []
        self.awaiting = False
        self.furnaces: list[Furnace] = []
        self.broker_connected = True
        self.closing = threading.Event()
        self.config = Config(http=http or Http(), people=People(sign_in=SignIn.OFF))
        self.people = open_people(self.engine, self.trail, self.config.people.admit, Sealer([b"k" * 32]))

    def context(self) -> Context:
        """What the application is made over."""
        return Context(
            reader=lambda scope: Reader(self.engine, scope),
            alarms=self.alarms,
            audit=self.trail,
            people=self.people,
            marks=MarkStore(self.engine, self.trail),
            remarks=RemarkLog(self.engine, self.trail),
            marked=lambda furnace_id, from_ms, to_ms, _now_ms: self.marked.append((furnace_id, from_ms, to_ms)),
            awaits=lambda *_asked: self.awaiting,
            store=self.store,
            derived=self.derived,
            live=self.live,
            channels=self.channels,
            edges=lambda: self.edges,
            previews=lambda: self.previews,
            advice=lambda: self.advice,
            explain=lambda *_asked: self.explanations,
            counters=lambda: self.counters,
            book=RuleBook(tuple(load_pack(name) for name in self.config.judging.packs)),
            config=self.config,
            clock=lambda: self.now_ms,
            checks=self._checks(),
            version="0.1.0",
            closing=self.closing,
        )

    def measure(self, furnace: Furnace, values: dict[str, float | Reason], age_ms: int = 400) -> None:
        """New live samples of a furnace; a Reason in place of a value is a bad sample."""
        series = np.array([furnace.series[channel] for channel in values], np.int32)
        numbers = [np.nan if isinstance(value, Reason) else value for value in values.values()]
        reasons = [value if isinstance(value, Reason) else Reason.GOOD for value in values.values()]
        times = np.full(len(series), self.now_ms - age_ms, np.int64)
        batch = SampleBatch(series, times, np.array(numbers, np.float64), np.array(reasons, np.uint8))
        self.live.update(batch, self.now_ms)

    def observe(self, *conditions: Condition) -> list[int]:
        """Raise alarms and deliver what they say to the inbox; their numbers."""
        rows = self.alarms.settle(conditions, self.now_ms)
        deliveries = DeliveryStore(self.engine)
        for row in deliveries.lease(self.now_ms, 1000, 100):
            deliveries.accepted(row.id, self.now_ms, "stored")
        return [row.id for row in rows]

    def insert(self, table: type[Table], *rows: dict[str, object]) -> None:
        """Rows as another part of the service would have written them."""
        with Session(self.engine) as session, session.begin():
            session.add_all(table(**row) for row in rows)

    def close(self) -> None:
        """Let go of the files."""
        self.closing.set()
        self.store.close()
        self.derived.close()
        self.engine.dispose()

    def _checks(self) -> tuple[Check, ...]:
        return (
            answers("database", lambda: ping(self.engine)),
            store_check(self.store),
            Check("writing", lambda: ""),
            broker_check(lambda: self.broker_connected),
            ingest_check(lambda: self.counters, 1000),
        )


@contextmanager
def empty_city(folder: Path, http: Http | None = None) -> Iterator[City]:
    """A centre to which no edge has spoken."""
    city = City(folder, http)
    try:
        yield city
    finally:
        city.close()


@contextmanager
def small_city(folder: Path, http: Http | None = None) -> Iterator[City]:
    """Three homes, seven furnaces, a day of history at the first, one open exceedance, one finished alarm."""
    with empty_city(folder, http) as city:
        for home in HOMES:
            add_home(city, home)
        first = city.furnaces[0]
        add_history(city, first)
        add_exceedance(city, first)
        add_stuck(city, city.furnaces[3])
        city.counters = IngestCounters(
            messages=5210, samples_received=90_211, samples_stored=90_180, samples_rejected={"far_future": 31},
            acknowledged_blocks=5200, batches=940, last_batch_ms=18.2, last_commit_at_ms=NOW_MS - 700,
        )  # fmt: skip
        city.insert(Rejection, {
            "reason": "far_future", "home": "donghu", "edge": "gateway", "device": "furnace-1", "count": 31,
            "first_at_ms": NOW_MS - HOUR_MS, "last_at_ms": NOW_MS - 5 * MINUTE_MS,
            "example": "co at 2031-01-01 00:00:00+00:00",
        })  # fmt: skip
        yield city


def add_home(city: City, home: str) -> None:
    """A home whose edge and furnaces have been born, and report."""
    zh, en, district_zh, district_en, count = HOMES[home]
    names = {
        "HomeNameZh": zh, "HomeNameEn": en, "DistrictZh": district_zh, "DistrictEn": district_en, "CityZh": "江城市",
        "CityEn": "Jiangcheng", "Software": "clearstack 0.1.0",
    }  # fmt: skip
    edge = city.registry.register_node(home, "gateway", Birth(channels=(), attributes=names), NOW_MS - HOUR_MS)
    city.edges.append(
        EdgeView(
            edge_id=edge.id, home=home, edge="gateway", online=True, last_seen_ms=NOW_MS - 300, clock_offset_ms=120
        )
    )
    for number in range(1, count + 1):
        add_furnace(city, home, f"furnace-{number}", number)


def add_furnace(city: City, home: str, name: str, number: int) -> None:
    """A furnace with every quantity, and its first values."""
    birth = Birth(
        channels=tuple(_channel(quantity) for quantity in VALUES),
        attributes={"Furnace": name, "Profile": "simulator", "NameZh": f"{number}号炉", "NameEn": f"Furnace {number}"},
    )
    source = city.registry.register_device(home, "gateway", name, birth)
    assert source.furnace_id is not None
    furnace = Furnace(source.furnace_id, home, name, dict(source.series))
    city.furnaces.append(furnace)
    city.measure(furnace, dict(VALUES))
    city.previews += [_preview(furnace, pollutant, mean) for pollutant, mean in SO_FAR.items()]


def add_history(city: City, furnace: Furnace, hours: int = 26) -> None:
    """Minute and hour means, the present phase's beginning, and judged hours with one over its limit."""
    names = ["chamber1_temperature", "chamber2_temperature", "flue_o2", *LIMITS]
    ids = [furnace.series[name] for name in names]
    minutes = _means(ids, names, NOW_MS // MINUTE_MS * MINUTE_MS, hours * 60, MINUTE_MS)
    per_hour = _means(ids, names, NOW_MS // HOUR_MS * HOUR_MS, hours, HOUR_MS)
    nothing = DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))
    city.store.write_means(minutes, per_hour, nothing)
    phases = {120: 3.0, 23: 4.0, 1: 4.0}
    times = np.array([NOW_MS - age * MINUTE_MS for age in phases], np.int64)
    series = np.full(len(times), furnace.series["phase"], np.int32)
    city.store.write(SampleBatch(series, times, np.array(list(phases.values())), np.zeros(len(times), np.uint8)))
    city.insert(Judgement, *_judgements(furnace))


def add_exceedance(city: City, furnace: Furnace) -> int:
    """HCl over its limit in the hour from 8:00: one exceedance, one open alarm; its number."""
    start_ms = NOW_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    known = quantities()["hcl"]
    facts = ExceedanceFacts(
        home=Name(*HOMES[furnace.home][:2]), furnace=Name("1号炉", "Furnace 1"), pollutant=Name(known.zh,
        known.en), mean=41.83,
        peak=66.2, limit=30.0, unit="mg/m3", reference_o2_pct=11.0, start_ms=start_ms,
        end_ms=start_ms + HOUR_MS, rule=RULE,
        clause=Name("GB 13801-2015 表2 氯化氢", "GB 13801-2015 Table 2, hydrogen chloride"),
    )  # fmt: skip
    city.insert(Exceedance, {
        "furnace_id": furnace.id, "rule": RULE, "clause": "GB 13801-2015 Table 2", "pollutant": "hcl",
        "start_ms": start_ms,
        "end_ms": start_ms + HOUR_MS, "mean": 41.83, "peak": 66.2, "limit": 30.0, "unit": "mg/m3",
    })  # fmt: skip
    key = f"exceedance:{furnace.id}:hcl:{start_ms}"
    return city.observe(Condition(key, Place(furnace.home, furnace.id), facts, start_ms, None))[0]


def stuck(furnace: Furnace, since_ms: int) -> Condition:
    """CO that has not moved since `since_ms`."""
    known = quantities()["co"]
    facts = StuckFacts(
        home=Name(*HOMES[furnace.home][:2]), furnace=Name("1号炉", "Furnace 1"), channel=Name(known.zh,
        known.en), value=42.7,
        unit="mg/m3", held_s=75.0, threshold_s=60.0, since_ms=since_ms,
    )  # fmt: skip
    place = Place(furnace.home, furnace.id, furnace.series["co"])
    return Condition(f"stuck:{furnace.series['co']}", place, facts, since_ms)


def silent(home: str, last_seen_ms: int) -> Condition:
    """An edge that has gone silent."""
    facts = SilentFacts(Name(*HOMES[home][:2]), "gateway", last_seen_ms, 60.0)
    return Condition(f"silent:{home}:gateway", Place(home), facts, last_seen_ms)


def add_stuck(city: City, furnace: Furnace) -> int:
    """A finished alarm: raised, acknowledged, cleared; its number."""
    condition = stuck(furnace, NOW_MS - 30 * MINUTE_MS)
    (alarm,) = city.observe(condition)
    city.alarms.acknowledge(alarm, "王建国", "analyser_fault: 已更换滤芯", NOW_MS - 20 * MINUTE_MS)
    city.observe(msgspec.structs.replace(condition, ends_ms=NOW_MS - 15 * MINUTE_MS))
    return alarm


def _channel(quantity: str) -> ChannelBirth:
    known = quantities()[quantity]
    return ChannelBirth(
        name=quantity,
        alias=None,
        datatype=DataType.BOOLEAN if quantity in BOOLEANS else DataType.DOUBLE,
        unit=known.unit,
        quantity=quantity,
        period_s=10.0,
        basis="dry_standard" if quantity in LIMITS else "",
    )


def _preview(furnace: Furnace, pollutant: str, mean: float) -> Preview:
    return Preview(
        furnace_id=furnace.id, rule=RULE, pollutant=Pollutant(pollutant), start_ms=NOW_MS // HOUR_MS * HOUR_MS,
        until_ms=NOW_MS // MINUTE_MS * MINUTE_MS, mean=mean, peak=mean * 1.4, limit=LIMITS[pollutant],
        unit=LimitUnit.MG_PER_M3, valid_minutes=41, valid_minutes_needed=45, cause="",
    )  # fmt: skip


def _means(ids: list[int], names: list[str], end_ms: int, count: int, period_ms: int) -> MeanBatch:
    """Means that swing gently round the furnace's values."""
    steps = np.arange(count, dtype=np.int64)
    starts = end_ms - (count - steps) * period_ms
    swing = 1 + 0.12 * np.sin(starts / (37 * MINUTE_MS)) + 0.03 * np.sin(starts / (5 * MINUTE_MS))
    mean = np.concatenate([VALUES[name] * swing for name in names])
    return MeanBatch(
        series=np.repeat(np.array(ids, np.int32), count),
        start_ms=np.tile(starts, len(ids)),
        mean=mean,
        low=mean * 0.95,
        high=mean * 1.05,
        covered=np.ones(len(mean), np.float32),
    )


def _judgements(furnace: Furnace) -> list[dict[str, object]]:
    """Yesterday's and today's hours: idle at night, HCl over its limit two hours ago, one hour with too few minutes."""
    this_hour_ms = NOW_MS // HOUR_MS * HOUR_MS
    ages = range(34, 0, -1)
    return [
        _judgement(furnace, pollutant, this_hour_ms - age * HOUR_MS, age, SO_FAR[pollutant])
        for age in ages
        for pollutant in LIMITS
    ]


def _judgement(furnace: Furnace, pollutant: str, start_ms: int, age: int, mean: float) -> dict[str, object]:
    local_hour = datetime.fromtimestamp(start_ms / 1000, ZONE).hour
    row: dict[str, object] = {
        "furnace_id": furnace.id, "rule": RULE, "pollutant": pollutant, "start_ms": start_ms,
        "end_ms": start_ms + HOUR_MS,
        "mean": mean * (1 + age % 5 / 20), "peak": mean * 1.5, "limit": LIMITS[pollutant], "unit": "mg/m3",
        "valid_minutes": 58,
        "verdict": "within", "cause": "", "revision": 0, "computed_at_ms": start_ms + HOUR_MS + 5000,
    }  # fmt: skip
    if not 7 <= local_hour <= 17:
        return row | {"mean": None, "peak": None, "valid_minutes": 0, "verdict": "not_judged", "cause": "not_operating"}
    if age == 2 and pollutant == "hcl":
        return row | {"mean": 41.83, "peak": 66.2, "verdict": "exceeded"}
    if age == 3:
        return row | {"valid_minutes": 31, "verdict": "invalid", "cause": "few_operating_minutes"}
    return row


def in_order(texts: list[str], page: str) -> bool:
    """True when these texts stand in the page in this order."""
    places = [page.find(text) for text in texts]
    return min(places) >= 0 and all(before < after for before, after in pairwise(places))
