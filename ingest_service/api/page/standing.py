"""How a furnace stands against its limits in this hour so far, in one sentence. Pure."""

from collections.abc import Iterable
from enum import StrEnum, unique

import msgspec

from ingest_service.api.page.hour_bar import Against, HourBar
from ingest_service.api.page.texts import Texts


@unique
class Stand(StrEnum):
    """The worst that is to be said of any pollutant."""

    WITHIN = "within"
    AHEAD = "ahead"
    OVER = "over"
    UNKNOWN = "unknown"


class Pollution(msgspec.Struct, frozen=True):
    """One pollutant's running hour, None while it has no mean.

    `warns` where it will end over its limit, `doubtful` where an open alarm says that its values cannot be trusted.
    """

    name: str
    hour: HourBar | None
    warns: bool
    doubtful: bool


class Standing(msgspec.Struct, frozen=True):
    """The verdict so far and the sentence that says it."""

    stand: Stand
    sentence: str


def standing_of(pollutants: Iterable[Pollution], t: Texts) -> Standing:
    """All pollutants together."""
    found = list(pollutants)
    known = [one for one in found if one.hour is not None]
    over = [one.name for one in known if one.hour is not None and one.hour.against is Against.OVER]
    ahead = [one.name for one in known if one.warns]
    if not known:
        return Standing(Stand.UNKNOWN, t("standing.unknown"))
    stand = Stand.OVER if over else Stand.AHEAD if ahead else Stand.WITHIN
    names = t("standing.and").join(over or ahead)
    doubtful = [one.name for one in known if one.doubtful]
    unknown = [one.name for one in found if one.hour is None]
    rest = _rest("doubtful", doubtful, t) + _rest("rest", unknown, t)
    return Standing(stand, t(f"standing.{stand}", names=names) + rest)


def _rest(key: str, names: list[str], t: Texts) -> str:
    return t(f"standing.{key}", names=t("standing.and").join(names)) if names else ""
