from zoneinfo import ZoneInfo

import msgspec

from edge_agent.wire.sample import Reason
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.formats import Clock
from ingest_service.api.page.texts import texts
from ingest_service.api.page.tiles import HomeView, Situation, by_home, folded, home_view
from ingest_service.api.readings import Reading
from ingest_service.api.snapshot import EdgeState
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.units import LimitUnit, Pollutant
from ingest_service.store.rows import FurnaceRow, HomeRow
from tests.ingest_service.api.test_readings import SERIES

NOW_MS = 1_764_000_000_000
CLOCK = Clock(ZoneInfo("Asia/Shanghai"))
HOMES = ("beishan", "donghu", "songhe")


def reading(home: int, furnace: int, quantity: str, value: float) -> Reading:
    series = msgspec.structs.replace(SERIES, home_id=HOMES[home], furnace_id=furnace, quantity=quantity)
    return Reading(series, value, Reason.GOOD, NOW_MS - furnace)


def situation(homes: int) -> Situation:
    """Three furnaces a home, each with a phase, an oxygen content and a running hour."""
    furnaces = [
        FurnaceRow(id=10 * home + at, home_id=HOMES[home], name=f"f{at}") for home in range(homes) for at in (1, 2, 3)
    ]
    return Situation(
        now_ms=NOW_MS,
        furnaces=furnaces,
        readings=[
            reading(one.id // 10, one.id, quantity, value + one.id)
            for quantity, value in (("phase", 0.0), ("flue_o2", 9.0))
            for one in furnaces
        ],
        alarms=[],
        edges=[edge(home, online=home != 1) for home in range(homes)],
        previews=[preview(one.id) for one in furnaces],
    )


def edge(home: int, *, online: bool) -> EdgeState:
    return EdgeState(
        home_id=HOMES[home], name="gateway", software="", online=online, last_seen_ms=NOW_MS, clock_offset_ms=0,
        best_effort=False, seq_gaps=0, rebirths=0, conflicts=0,
    )  # fmt: skip


def preview(furnace: int) -> Preview:
    return Preview(
        furnace_id=furnace, rule="r", pollutant=Pollutant.CO, start_ms=NOW_MS, until_ms=NOW_MS, mean=float(furnace),
        peak=None, limit=150.0, unit=LimitUnit.MG_PER_M3, valid_minutes=30, valid_minutes_needed=45, cause="",
    )  # fmt: skip


def test_a_home_by_itself_looks_as_it_does_among_all() -> None:
    now, clock, t = situation(2), CLOCK, texts(Locale.EN)
    parts = by_home(now)
    for name in HOMES[:2]:
        alone = home_view(HomeRow(id=name), parts[name], clock, t)
        assert alone == home_view(HomeRow(id=name), now, clock, t)
        assert [len(alone.furnaces), len(alone.edges), len(alone.silent_edges)] == [3, 1, int(name == "donghu")]
        assert all(tile.hour is not None and tile.phase is not None for tile in alone.furnaces)


def test_a_home_of_which_nothing_is_known_is_empty() -> None:
    empty = home_view(HomeRow(id=HOMES[2]), by_home(situation(2))[HOMES[2]], CLOCK, texts(Locale.EN))
    assert (empty.furnaces, empty.edges, empty.alarms) == ([], [], [])


def views(over: int = 0, homes: int = 2) -> list[HomeView]:
    """Homes of three furnaces each, of which one may be over its limit of CO."""
    now, t = situation(homes), texts(Locale.EN)
    previews = [msgspec.structs.replace(one, mean=151.0) if one.furnace_id == over else one for one in now.previews]
    parts = by_home(msgspec.structs.replace(now, previews=previews))
    return [home_view(HomeRow(id=name), parts[name], CLOCK, t) for name in HOMES[:homes]]


def test_what_is_over_its_limit_stands_at_furnace_and_home() -> None:
    first, second = views(over=12)
    assert [tile.over for tile in second.furnaces] == [[], ["CO"], []]
    assert (first.over, second.over) == ([], ["f2 CO"])


def test_few_furnaces_are_all_shown() -> None:
    assert folded(views(), 6) == views()


def test_of_many_furnaces_only_those_that_need_someone_are_shown_and_the_rest_counted() -> None:
    first, second = folded(views(over=12), 5)
    assert [tile.name for tile in first.furnaces + second.furnaces] == ["f2"]
    assert (first.folded, second.folded, first.folded_burning) == (3, 2, 3)
    assert second.over == ["f2 CO"]
    none_left = folded(views(over=12), 0)
    assert [home.folded for home in none_left] == [3, 3]
