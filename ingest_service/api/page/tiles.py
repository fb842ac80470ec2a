"""Homes and furnaces in small, ordered by what is abnormal. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from edge_agent.wire.quantity import PHASES
from ingest_service.api.page.alarm_mark import brief
from ingest_service.api.page.alarm_view import AlarmView, alarm_view, furnace_href, home_href, urgency, worst
from ingest_service.api.page.formats import Clock, duration
from ingest_service.api.page.hour_bar import HourBar, hour_bar
from ingest_service.api.page.shown import Shown, shown
from ingest_service.api.page.texts import Texts
from ingest_service.api.readings import Reading, Trust, clock_doubt
from ingest_service.api.snapshot import EdgeState
from ingest_service.emissions.preview import Preview
from ingest_service.store.journal import AlarmRecord
from ingest_service.store.rows import FurnaceRow, HomeRow

TILE_VALUES = ("chamber2_temperature", "flue_o2")
TILE_QUANTITIES = ("phase", *TILE_VALUES)
TILE_POLLUTANT = "co"
AT_REST = ("idle", "cooling")


class Tile(msgspec.Struct, frozen=True):
    """One furnace in small. `worst` is the severity of its most urgent open alarm, `brief` says which ("": none).

    `over` names what is over a limit in the running hour.
    """

    id: int
    href: str
    name: str
    worst: str
    brief: str
    open_alarms: int
    phase: Shown | None
    values: list[Shown]
    hour: HourBar | None
    over: list[str]
    newest_at_ms: int | None
    newest_age: str
    running: bool


class HomeView(msgspec.Struct, frozen=True):
    """One home with its furnaces in small; `over` names what is over a limit in the running hour.

    `folded` is how many of its furnaces are left out, of which `folded_burning` burn.
    """

    id: str
    href: str
    name: str
    district: str
    alarms: list[AlarmView]
    edges: list[EdgeState]
    silent_edges: list[EdgeState]
    over: list[str]
    clock_doubt: str
    furnaces: list[Tile]
    folded: int = 0
    folded_burning: int = 0


class Situation(msgspec.Struct, frozen=True):
    """All that an overview is made of, at `now_ms`."""

    now_ms: int
    furnaces: Sequence[FurnaceRow]
    readings: Sequence[Reading]
    alarms: Sequence[AlarmRecord]
    edges: Sequence[EdgeState]
    previews: Sequence[Preview]


def by_home(now: Situation) -> Mapping[str, Situation]:
    """What concerns each home, laid apart in one pass; an empty situation for a home of which nothing is known."""
    homes = {furnace.id: furnace.home_id for furnace in now.furnaces}
    parts: defaultdict[str, _Part] = defaultdict(_Part)
    for furnace in now.furnaces:
        parts[furnace.home_id].furnaces.append(furnace)
    for reading in now.readings:
        parts[reading.series.home_id].readings.append(reading)
    for alarm in now.alarms:
        parts[alarm.home_id].alarms.append(alarm)
    for edge in now.edges:
        parts[edge.home_id].edges.append(edge)
    for preview in now.previews:
        parts[homes.get(preview.furnace_id, "")].previews.append(preview)
    nothing = Situation(now.now_ms, (), (), (), (), ())
    found = {home: Situation(now.now_ms, **msgspec.structs.asdict(part)) for home, part in parts.items()}
    return defaultdict(lambda: nothing, found)


class _Part(msgspec.Struct):
    furnaces: list[FurnaceRow] = []
    readings: list[Reading] = []
    alarms: list[AlarmRecord] = []
    edges: list[EdgeState] = []
    previews: list[Preview] = []


def home_view(home: HomeRow, now: Situation, clock: Clock, t: Texts) -> HomeView:
    """One home out of the situation."""
    edges = [edge for edge in now.edges if edge.home_id == home.id]
    alarms = sorted((alarm for alarm in now.alarms if alarm.home_id == home.id), key=urgency)
    tiles = [tile(furnace, now, clock, t) for furnace in now.furnaces if furnace.home_id == home.id]
    return HomeView(
        id=home.id,
        href=home_href(home.id),
        name=home_name(home, t),
        district=t.either(home.district_zh, home.district_en),
        alarms=[alarm_view(alarm, now.now_ms, clock, t) for alarm in alarms],
        edges=edges,
        silent_edges=[edge for edge in edges if not edge.online],
        over=[f"{tile.name} {what}" for tile in tiles for what in tile.over],
        clock_doubt=doubt_text([one for one in now.readings if one.series.home_id == home.id], now.now_ms, t),
        furnaces=tiles,
    )


def folded(homes: Sequence[HomeView], most: int) -> list[HomeView]:
    """The homes with at most so many furnaces in all: where there are more, only those that need someone."""
    if sum(len(home.furnaces) for home in homes) <= most:
        return list(homes)
    views = []
    for home in homes:
        kept = [tile for tile in home.furnaces if tile.worst or tile.over][:most]
        most -= len(kept)
        views.append(_without(home, [tile for tile in home.furnaces if tile not in kept], kept))
    return views


def _without(home: HomeView, left_out: Sequence[Tile], kept: list[Tile]) -> HomeView:
    burning = sum(tile.running for tile in left_out)
    return msgspec.structs.replace(home, furnaces=kept, folded=len(left_out), folded_burning=burning)


def tile(furnace: FurnaceRow, now: Situation, clock: Clock, t: Texts) -> Tile:
    """One furnace out of the situation."""
    mine = {reading.series.quantity: reading for reading in now.readings if reading.series.furnace_id == furnace.id}
    alarms = sorted((alarm for alarm in now.alarms if alarm.furnace_id == furnace.id), key=urgency)
    newest_ms = max((r.measured_at_ms for r in mine.values() if r.measured_at_ms is not None), default=None)
    phase = mine.get("phase")
    return Tile(
        id=furnace.id,
        href=furnace_href(furnace.home_id, furnace.name),
        name=furnace_name(furnace, t),
        worst=worst(alarms),
        brief=brief(alarms[0], now.now_ms, clock, t) if alarms else "",
        open_alarms=len(alarms),
        phase=shown(phase, now.now_ms, t) if phase else None,
        values=[shown(mine[quantity], now.now_ms, t) for quantity in TILE_VALUES if quantity in mine],
        hour=_hour(furnace, now, t),
        over=_over(furnace, now, t),
        newest_at_ms=newest_ms,
        newest_age=t("trust.never") if newest_ms is None else duration(now.now_ms - newest_ms, t),
        running=phase is not None and _runs(phase, now.now_ms),
    )


def doubt_text(found: Sequence[Reading], now_ms: int, t: Texts) -> str:
    """What is doubtful about the time of these values, "" where nothing is."""
    doubt = clock_doubt(found, now_ms)
    return "" if doubt is None else t.known("quality", doubt.label)


def home_name(home: HomeRow, t: Texts) -> str:
    """Its name in this language."""
    return t.either(home.name_zh, home.name_en, home.id)


def furnace_name(furnace: FurnaceRow, t: Texts) -> str:
    """Its name in this language."""
    return t.either(furnace.name_zh, furnace.name_en, furnace.name)


def _hour(furnace: FurnaceRow, now: Situation, t: Texts) -> HourBar | None:
    mine = [hour for hour in now.previews if hour.furnace_id == furnace.id and hour.pollutant == TILE_POLLUTANT]
    return hour_bar(min(mine, key=lambda hour: hour.limit), t) if mine else None


def _over(furnace: FurnaceRow, now: Situation, t: Texts) -> list[str]:
    """Each pollutant whose mean of the running hour is over a limit."""
    hours = [hour for hour in now.previews if hour.furnace_id == furnace.id and hour.mean is not None]
    over = dict.fromkeys(str(hour.pollutant) for hour in hours if (hour.mean or 0) > hour.limit)
    return [t.known("short", pollutant) for pollutant in over]


def _runs(phase: Reading, now_ms: int) -> bool:
    if phase.value is None or phase.trust(now_ms) not in (Trust.LIVE, Trust.UNCERTAIN):
        return False
    return PHASES.get(round(phase.value), AT_REST[0]) not in AT_REST
