"""Homes and furnaces in small, ordered by what is abnormal. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from edge_agent.wire.quantity import PHASES
from ingest_service.alarms.vocabulary import Severity
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
    """One furnace in small. `worst` is the severity of its most urgent open alarm, `brief` says which ("": none)."""

    href: str
    name: str
    worst: str
    brief: str
    open_alarms: int
    phase: Shown | None
    values: list[Shown]
    hour: HourBar | None
    newest_at_ms: int | None
    newest_age: str
    running: bool


class HomeView(msgspec.Struct, frozen=True):
    """One home with its furnaces in small; `over` names what is over a limit in the running hour."""

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
    furnaces = [furnace for furnace in now.furnaces if furnace.home_id == home.id]
    return HomeView(
        id=home.id,
        href=home_href(home.id),
        name=home_name(home, t),
        district=t.either(home.district_zh, home.district_en),
        alarms=[alarm_view(alarm, now.now_ms, clock, t) for alarm in alarms],
        edges=edges,
        silent_edges=[edge for edge in edges if not edge.online],
        over=[text for furnace in furnaces for text in _over(furnace, now, t)],
        clock_doubt=doubt_text([one for one in now.readings if one.series.home_id == home.id], now.now_ms, t),
        furnaces=[tile(furnace, now, clock, t) for furnace in furnaces],
    )


def by_exception(homes: Sequence[HomeView]) -> list[HomeView]:
    """The homes that need someone first: by their most urgent alarm, an hour over its limit, silence, then name."""
    ranked = list(Severity)

    def rank(home: HomeView) -> tuple[int, bool, bool, str]:
        urgent = min((ranked.index(Severity(alarm.severity)) for alarm in home.alarms), default=len(ranked))
        return urgent, not home.over, not home.silent_edges, home.name

    return sorted(homes, key=rank)


def tile(furnace: FurnaceRow, now: Situation, clock: Clock, t: Texts) -> Tile:
    """One furnace out of the situation."""
    mine = {reading.series.quantity: reading for reading in now.readings if reading.series.furnace_id == furnace.id}
    alarms = sorted((alarm for alarm in now.alarms if alarm.furnace_id == furnace.id), key=urgency)
    newest_ms = max((r.measured_at_ms for r in mine.values() if r.measured_at_ms is not None), default=None)
    phase = mine.get("phase")
    return Tile(
        href=furnace_href(furnace.home_id, furnace.name),
        name=furnace_name(furnace, t),
        worst=worst(alarms),
        brief=brief(alarms[0], now.now_ms, clock, t) if alarms else "",
        open_alarms=len(alarms),
        phase=shown(phase, now.now_ms, t) if phase else None,
        values=[shown(mine[quantity], now.now_ms, t) for quantity in TILE_VALUES if quantity in mine],
        hour=_hour(furnace, now, t),
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
    """Each pollutant whose mean of the running hour is over a limit, with its furnace."""
    hours = [hour for hour in now.previews if hour.furnace_id == furnace.id and hour.mean is not None]
    over = dict.fromkeys(str(hour.pollutant) for hour in hours if (hour.mean or 0) > hour.limit)
    return [f"{furnace_name(furnace, t)} {t.known('short', pollutant)}" for pollutant in over]


def _runs(phase: Reading, now_ms: int) -> bool:
    if phase.value is None or phase.trust(now_ms) not in (Trust.LIVE, Trust.UNCERTAIN):
        return False
    return PHASES.get(round(phase.value), AT_REST[0]) not in AT_REST
