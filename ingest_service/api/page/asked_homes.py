"""Which homes the overview was asked for: a place, a word, a state, a page of them. Pure."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from ingest_service.api.page.addresses import address
from ingest_service.api.page.areas import is_in
from ingest_service.api.page.asked_alarms import AskedAlarms
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
        return address("/", self, {"page": 1, **other})

    @property
    def others(self) -> dict[str, str]:
        """What a search goes on asking for, by its name in the address; "" for nothing."""
        return {"city": self.city, "district": self.district, "state": "" if self.state is Wanted.ANY else self.state}

    @property
    def alarms(self) -> str:
        """The address of the alarms of the place."""
        return AskedAlarms(city=self.city, district=self.district).address()

    def in_place(self, states: Sequence[HomeState]) -> list[HomeState]:
        """The homes of the city and the district."""
        return [state for state in states if is_in(state.home, self.city, self.district)]

    def named(self, states: Sequence[HomeState]) -> list[HomeState]:
        """Those whose names, or those of their places, contain the word."""
        word = self.q.casefold()
        return [state for state in states if any(word in name.casefold() for name in _names(state.home))]


def _names(home: HomeRow) -> tuple[str, ...]:
    return (home.id, home.name_zh, home.name_en, home.district_zh, home.district_en, home.city_zh, home.city_en)
