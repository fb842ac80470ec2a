"""Which homes the overview was asked for: a place, a word, a state, a page of them. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import urlencode

import msgspec

from ingest_service.api.page.areas import Level
from ingest_service.api.page.home_states import HomeState
from ingest_service.store.rows import HomeRow


class Wanted(StrEnum):
    """Homes in which state."""

    ANY = "any"
    ALARM = "alarm"
    OVER = "over"
    SILENT = "silent"
    CALM = "calm"

    def admits(self, state: HomeState) -> bool:
        """Whether a home is in it."""
        match self:
            case Wanted.ANY:
                return True
            case Wanted.ALARM:
                return bool(state.alarms)
            case Wanted.OVER:
                return bool(state.over)
            case Wanted.SILENT:
                return bool(state.silent)
            case Wanted.CALM:
                return not state.needs_someone


class AskedHomes(msgspec.Struct, frozen=True, kw_only=True):
    """What the address asks for; "" is no condition, `page` counts from 1."""

    city: str = ""
    district: str = ""
    q: str = ""
    state: Wanted = Wanted.ANY
    page: int = 1

    def address(self, **other: str | int) -> str:
        """The overview's address with these conditions and others in their place; another condition is a first page."""
        wanted = msgspec.structs.replace(self, **{"page": 1, **other})
        fields = msgspec.structs.asdict(wanted)
        said = {name: value for name, value in fields.items() if value and (name, value) not in _USUAL}
        return f"/?{urlencode(said)}" if said else "/"

    def in_place(self, states: Sequence[HomeState]) -> list[HomeState]:
        """The homes of the city and the district."""
        wanted = [(level, key) for level, key in ((Level.CITY, self.city), (Level.DISTRICT, self.district)) if key]
        return [state for state in states if all(level.key(state.home) == key for level, key in wanted)]

    def named(self, states: Sequence[HomeState]) -> list[HomeState]:
        """Those whose names, or those of their places, contain the word."""
        word = self.q.casefold()
        return [state for state in states if any(word in name.casefold() for name in _names(state.home))]


_USUAL = {("state", Wanted.ANY), ("page", 1)}


def _names(home: HomeRow) -> tuple[str, ...]:
    return (home.id, home.name_zh, home.name_en, home.district_zh, home.district_en, home.city_zh, home.city_en)
