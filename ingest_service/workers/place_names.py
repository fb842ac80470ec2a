"""What homes and furnaces were called at a time: a point that is made again later keeps its tags. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from edge_agent.wire.durations import SECOND_MS
from ingest_service.store.derived.point import DerivedColumn, Point, Tags, fields_of, tags_of
from ingest_service.store.rows import FurnaceRow, HomeRow

MEASUREMENT = "name"  # a point where a name begins to hold
NAMED = {"average", "completeness", "cycle", "energy", "event", "measured"}
RENEWED_MS = 30 * 24 * 3_600_000  # said again after that long, so that no retention takes away the only one
Place = tuple[str, str]  # home and furnace; "" is the home itself


class Called(msgspec.Struct, frozen=True):
    """The names of a place from `since_ms` on (ms since 1970 UTC)."""

    since_ms: int
    home_zh: str
    home_en: str
    furnace_zh: str = ""
    furnace_en: str = ""

    @property
    def names(self) -> tuple[str, str, str, str]:
        """Without the time."""
        return self.home_zh, self.home_en, self.furnace_zh, self.furnace_en


History = Mapping[Place, Sequence[Called]]  # in the order of time


def called(home: HomeRow, furnace: FurnaceRow | None, since_ms: int) -> Called:
    """A name that is missing is that of the other language, or the id."""
    zh, en = home.name_zh or home.name_en or home.id, home.name_en or home.name_zh or home.id
    if furnace is None:
        return Called(since_ms, zh, en)
    own_zh = furnace.name_zh or furnace.name_en or furnace.name
    return Called(since_ms, zh, en, own_zh, furnace.name_en or furnace.name_zh or furnace.name)


def news(history: History, homes: Sequence[HomeRow], furnaces: Iterable[FurnaceRow], now_ms: int) -> History:
    """From the next second on: what is called something else than before, or was not said for long."""
    since_ms = (now_ms // SECOND_MS + 1) * SECOND_MS
    by_id = {home.id: home for home in homes}
    now = {(home.id, ""): called(home, None, since_ms) for home in homes}
    now |= {(one.home_id, one.name): called(by_id[one.home_id], one, since_ms) for one in furnaces}
    return {place: (one,) for place, one in now.items() if _is_new(one, history.get(place, ()))}


def _is_new(one: Called, before: Sequence[Called]) -> bool:
    return not before or before[-1].names != one.names or one.since_ms - before[-1].since_ms >= RENEWED_MS


def joined(history: History, later: History) -> History:
    """The history with what came later."""
    return {**history, **{place: (*history.get(place, ()), *own) for place, own in later.items()}}


def called_at(own: Sequence[Called], at_ms: int) -> Called:
    """The names that held then; before the first ones those."""
    return own[max(0, bisect_right(own, at_ms, key=lambda one: one.since_ms) - 1)]


def place_of(tags: Tags) -> Place:
    """Where a point belongs."""
    known = dict(tags)
    return known.get("home", ""), known.get("furnace", "")


def named(point: Point, history: History) -> Point:
    """The point with the names that its place had at its time, as tags."""
    own = history.get(place_of(point.tags)) if point.measurement in NAMED else None
    if not own:
        return point
    held = called_at(own, point.at_ms)
    names = {name: getattr(held, name) for name in ("home_zh", "home_en", "furnace_zh", "furnace_en")}
    return msgspec.structs.replace(point, tags=tags_of(**{**dict(point.tags), **names}))


def points_of(history: History) -> Iterator[Point]:
    """What is kept of names; a title is the furnace's, a text the home's."""
    for (home, furnace), own in history.items():
        for one in own:
            texts = tags_of(
                title_zh=one.furnace_zh, title_en=one.furnace_en, text_zh=one.home_zh, text_en=one.home_en
            )  # fmt: skip
            yield Point(MEASUREMENT, tags_of(home=home, furnace=furnace), one.since_ms, fields_of(holds=1.0), texts)


def history_of(columns: Iterable[DerivedColumn]) -> History:
    """The history as it was kept."""
    said: dict[Place, dict[int, dict[str, str]]] = {}
    for column in columns:
        if column.field != "holds":
            times = said.setdefault(place_of(column.tags), {})
            for at_ms, text in zip(column.at_ms.tolist(), column.value.tolist(), strict=True):
                times.setdefault(at_ms, {})[column.field] = text
    return {place: [_read(at_ms, found) for at_ms, found in sorted(times.items())] for place, times in said.items()}


def _read(at_ms: int, texts: Mapping[str, str]) -> Called:
    return Called(at_ms, *(texts.get(name, "") for name in ("text_zh", "text_en", "title_zh", "title_en")))
