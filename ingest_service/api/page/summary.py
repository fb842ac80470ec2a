"""Many homes summed up on the overview: by place, by state, and where in the country one is. Pure."""

from collections.abc import Sequence

import msgspec

from ingest_service.api.page.areas import Area, Level, areas_of, level_of
from ingest_service.api.page.asked_homes import AskedHomes, Wanted
from ingest_service.api.page.home_states import HomeState
from ingest_service.api.page.texts import Texts

AREAS_AT_ONCE = 6  # before the homes themselves
FEW_HOMES = 12  # so many are looked through without being summed up or searched


class Link(msgspec.Struct, frozen=True):
    """Somewhere to go."""

    name: str
    href: str


class AreaLine(msgspec.Struct, frozen=True):
    """A place, and where its homes are shown."""

    area: Area
    href: str


class Choice(msgspec.Struct, frozen=True):
    """One state that homes can be cut down to, and how many are in it."""

    state: Wanted
    href: str
    count: int


class Summary(msgspec.Struct, frozen=True):
    """The places of many homes, those with anything abnormal apart, and the states of the homes that were found."""

    level: Level
    abnormal: list[AreaLine]
    calm: list[AreaLine]
    choices: list[Choice]
    at_once: int = AREAS_AT_ONCE


def summary_of(asked: AskedHomes, placed: Sequence[HomeState], named: Sequence[HomeState], t: Texts) -> Summary:
    """Of the homes in the place that was asked for, and of those among them whose name was."""
    level = level_of(placed)
    areas = [] if asked.district else areas_of(placed, level, t)
    lines = [AreaLine(area, asked.address(**{level: area.key})) for area in areas if len(areas) > 1]
    states = [(state, sum(map(state.admits, named))) for state in Wanted]
    return Summary(
        level=level,
        abnormal=[line for line in lines if line.area.needs_someone],
        calm=[line for line in lines if not line.area.needs_someone],
        choices=[Choice(state, asked.address(state=state), count) for state, count in states],
    )


def places_of(asked: AskedHomes, placed: Sequence[HomeState], t: Texts) -> list[Link]:
    """The places that were asked for, the larger first; none where no home is there."""
    whole = {Level.CITY: asked.address(district="", q="", state=Wanted.ANY), Level.DISTRICT: asked.address()}
    keys = {Level.CITY: asked.city, Level.DISTRICT: asked.district}
    return [Link(level.name_of(placed[0].home, t), whole[level]) for level, key in keys.items() if key and placed]
