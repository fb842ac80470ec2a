"""Cities and districts as the overview sums them up. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from ingest_service.alarms.vocabulary import Severity
from ingest_service.api.page.alarm_view import most_urgent
from ingest_service.api.page.home_states import HomeState
from ingest_service.api.page.texts import Texts
from ingest_service.store.rows import HomeRow

NO_NAME = "-"  # stands in addresses for homes that name no such place


class Level(StrEnum):
    """By what homes are summed up."""

    CITY = "city"
    DISTRICT = "district"

    def key(self, home: HomeRow) -> str:
        """What the place is called in addresses, whatever the reader's language."""
        return self._names(home)[0] or self._names(home)[1] or NO_NAME

    def name_of(self, home: HomeRow, t: Texts) -> str:
        """What people call it."""
        return t.either(*self._names(home)) or t(f"no_area.{self}")

    def _names(self, home: HomeRow) -> tuple[str, str]:
        if self is Level.CITY:
            return home.city_zh, home.city_en
        return home.district_zh, home.district_en


def is_in(home: HomeRow, city: str, district: str) -> bool:
    """Whether a home is in the places of these keys; "" is any."""
    return city in ("", Level.CITY.key(home)) and district in ("", Level.DISTRICT.key(home))


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """The homes of one place in counts: `in_alarm`, `over` and `silent` are homes."""

    key: str
    name: str
    homes: int
    furnaces: int
    burning: int
    worst: str
    in_alarm: int
    over: int
    silent: int

    @property
    def needs_someone(self) -> bool:
        """Whether anything there is abnormal."""
        return bool(self.in_alarm or self.over or self.silent)


def level_of(states: Iterable[HomeState]) -> Level:
    """Cities where homes are of several, else districts."""
    cities = {Level.CITY.key(state.home) for state in states}
    return Level.CITY if len(cities) > 1 else Level.DISTRICT


def areas_of(states: Sequence[HomeState], level: Level, t: Texts) -> list[Area]:
    """The places of these homes: what is abnormal first, then by name."""
    parts: dict[str, list[HomeState]] = {}
    for state in states:
        parts.setdefault(level.key(state.home), []).append(state)
    areas = [_area(key, own, level, t) for key, own in parts.items()]
    ranks = [*Severity, ""]
    return sorted(areas, key=lambda one: (ranks.index(one.worst), -one.over, -one.silent, one.name))


def _area(key: str, own: Sequence[HomeState], level: Level, t: Texts) -> Area:
    return Area(
        key=key,
        name=level.name_of(own[0].home, t),
        homes=len(own),
        furnaces=sum(state.furnaces for state in own),
        burning=sum(state.burning for state in own),
        worst=most_urgent(state.worst for state in own if state.worst),
        in_alarm=sum(bool(state.alarms) for state in own),
        over=sum(bool(state.over) for state in own),
        silent=sum(bool(state.silent) for state in own),
    )
