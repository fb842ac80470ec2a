"""A country of homes for tests and benchmarks: real registry, live table and alarms, names that tell where one is."""

from collections.abc import Iterator

import msgspec
import numpy as np

from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from edge_agent.wire.quantity import quantities
from edge_agent.wire.sample import Reason
from ingest_service.alarms.lifecycle import Condition
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.units import LimitUnit, Pollutant
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.batch import SampleBatch
from ingest_service.store.registry import DeviceBirth, NodeBirth
from tests.support.city import (
    HOMES as NAMED,
)
from tests.support.city import (
    HOUR_MS,
    LIMITS,
    MINUTE_MS,
    NOW_MS,
    RULE,
    SO_FAR,
    VALUES,
    City,
    Furnace,
    silent,
    stuck,
)

DISTRICTS_A_CITY, HOMES_A_DISTRICT = 2, 3
ALARM_EVERY, OVER_EVERY, SILENT_EVERY = 150, 500, 40  # furnaces, furnaces, homes


def settle(city: City, homes: int, each: int) -> list[Furnace]:
    """That many homes with so many furnaces each, which report; some are over a limit, some in alarm, some silent."""
    furnaces = register(city, homes, each)
    report(city, furnaces)
    worry(city, furnaces)
    return furnaces


def register(city: City, homes: int, each: int) -> list[Furnace]:
    """Homes in districts of cities, each with one edge and so many furnaces of every quantity."""
    city.registry.register_all(births(homes, each))
    edges = {edge.home_id: edge.id for edge in city.registry.edges()}
    city.edges = [
        EdgeView(edge_id=edge, home=home, edge="gateway", online=number % SILENT_EVERY != 0, last_seen_ms=NOW_MS - 300,
                 clock_offset_ms=120)
        for number, (home, edge) in enumerate(edges.items())
    ]  # fmt: skip
    sources = [source for source in city.registry.sources() if source.furnace_id is not None]
    return [Furnace(source.furnace_id or 0, source.home, source.device, dict(source.series)) for source in sources]


def births(homes: int, each: int) -> Iterator[NodeBirth | DeviceBirth]:
    channels = tuple(
        ChannelBirth(name=name, alias=None, datatype=DataType.DOUBLE, unit=quantities()[name].unit, quantity=name,
                     period_s=10.0, basis="dry_standard" if name in LIMITS else "")
        for name in VALUES
    )  # fmt: skip
    for number in range(homes):
        district = number // HOMES_A_DISTRICT
        place, home = district // DISTRICTS_A_CITY, f"home-{number}"
        names = {
            "HomeNameZh": f"殡仪馆 {number}", "HomeNameEn": f"Home {number}", "DistrictZh": f"区{district}",
            "DistrictEn": f"District {district}", "CityZh": f"市{place}", "CityEn": f"City {place}",
        }  # fmt: skip
        yield NodeBirth(home, "gateway", Birth(channels=(), attributes=names), NOW_MS - HOUR_MS)
        for furnace in range(1, each + 1):
            name = f"furnace-{furnace}"
            yield DeviceBirth(home, "gateway", name, Birth(channels=channels, attributes={"Furnace": name}))


def report(city: City, furnaces: list[Furnace]) -> None:
    """A value of every channel, and the running hour of every furnace and pollutant."""
    series = np.array([one for furnace in furnaces for one in furnace.series.values()], np.int32)
    values = np.array([VALUES[name] for furnace in furnaces for name in furnace.series])
    times = np.full(len(series), NOW_MS - 400, np.int64)
    city.live.update(SampleBatch(series, times, values, np.full(len(series), Reason.GOOD, np.uint8)), NOW_MS)
    city.previews = [
        Preview(
            furnace_id=furnace.id, rule=RULE, pollutant=Pollutant(name), start_ms=NOW_MS // HOUR_MS * HOUR_MS,
            until_ms=NOW_MS // MINUTE_MS * MINUTE_MS, mean=mean if number % OVER_EVERY else 400.0, peak=mean * 1.4,
            limit=LIMITS[name], unit=LimitUnit.MG_PER_M3, valid_minutes=41, valid_minutes_needed=45, cause="",
        )
        for number, furnace in enumerate(furnaces) for name, mean in SO_FAR.items()
    ]  # fmt: skip


def worry(city: City, furnaces: list[Furnace]) -> None:
    """Open alarms of some furnaces, and of every silent edge."""
    home = next(iter(NAMED))
    raised: list[Condition] = []
    for number, furnace in enumerate(furnaces):
        if number % ALARM_EVERY == 0:
            own = stuck(msgspec.structs.replace(furnace, home=home), NOW_MS - number % 60 * MINUTE_MS)
            place = msgspec.structs.replace(own.place, home_id=furnace.home)
            raised.append(msgspec.structs.replace(own, place=place))
    for view in city.edges:
        if not view.online:
            own = silent(home, NOW_MS - HOUR_MS)
            place = msgspec.structs.replace(own.place, home_id=view.home)
            raised.append(msgspec.structs.replace(own, key=f"silent:{view.home}:gateway", place=place))
    city.observe(*raised)
