"""The live stream: once a second, what changed since the last event. A slow reader misses steps, never the present."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from ingest_service.alarms.texts import describe
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.access import Act, needs
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import Forbidden, NotFound, NotSignedIn, TooManyStreams
from ingest_service.api.numbers import Number
from ingest_service.api.page.alarm_view import worst
from ingest_service.api.page.formats import zone_of
from ingest_service.api.page.shown import Shown, shown
from ingest_service.api.page.texts import Texts, texts
from ingest_service.api.page.tiles import TILE_QUANTITIES
from ingest_service.api.readings import readings
from ingest_service.api.snapshot import found_home
from ingest_service.errors import StoreError
from ingest_service.people.roles import Right
from ingest_service.store import journal, overview
from ingest_service.store.overview import KnownSeries, Reader

MAX_STREAMS = 500
EVERY_S = 1.0
RETRY_MS = 2000
ASK_AGAIN_S = 4  # whether the reader may still see what they follow: an end of it shows within 10 s
LOOK_AGAIN_MS = 30_000

router = APIRouter(tags=["live"])
Viewing = Annotated[Act, needs(Right.VIEW)]


class LiveValue(msgspec.Struct, frozen=True):
    """A value as it is shown, and its number (null where there is none)."""

    shown: Shown
    value: float | None


class LiveValues(msgspec.Struct, frozen=True):
    """What changed, as of `now_ms` (centre's clock)."""

    now_ms: int
    values: list[LiveValue]


class LiveAlarms(msgspec.Struct, frozen=True):
    """How many alarms are open, the worst severity, and the newest that nobody has acknowledged (0 where none).

    `step` rises with every step of any alarm, so that a page knows whether it was rendered before.
    """

    step: int
    open: int
    worst: str
    newest_id: int
    newest: str


class Streams(msgspec.Struct):
    """How many live streams are open now."""

    open: int = 0


class Followed(msgspec.Struct, frozen=True):
    """What a page shows: a furnace in full, or the tiles of a home or of every home in sight."""

    home: str | None
    furnace: int | None

    def series(self, sight: Reader) -> list[KnownSeries]:
        """The series that the page shows. Raises NotFound where the reader sees no such home or furnace."""
        wanted = [row for row in overview.furnaces(sight, self.home) if self.furnace in (None, row.id)]
        if not wanted and self.furnace is not None:
            raise NotFound(f"no furnace {self.furnace}")
        if self.home is not None:
            found_home(sight, self.home)
        known = overview.series(sight, [row.id for row in wanted])
        return known if self.furnace is not None else [one for one in known if one.quantity in TILE_QUANTITIES]


class Watch:
    """One reader's stream: what it follows, and up to where it has been told. Not to be shared."""

    def __init__(self, here: Context, sight: Reader, followed: Followed, t: Texts) -> None:
        self._here = here
        self._sight = sight
        self._followed = followed
        self._t = t
        self._series: dict[int, KnownSeries] = {}
        self._looked_at_ms = 0
        self._version = -1
        self._step = -1
        self._look(here.clock())

    def see(self, sight: Reader) -> None:
        """Follow what the reader may see from now on. Raises NotFound where that is nothing of what they follow."""
        if sight.scope != self._sight.scope:
            self._sight, self._step = sight, -1
            self._look(self._here.clock())

    def values(self) -> LiveValues:
        """The values that changed since the last call; all of them at the first."""
        now_ms, version = self._here.clock(), self._here.live.version
        if now_ms - self._looked_at_ms > LOOK_AGAIN_MS:
            self._look(now_ms)
        rows = self._here.live.changed_since(self._version, list(self._series))
        self._version = version
        changed = readings([self._series[int(one)] for one in rows.series], rows)
        return LiveValues(now_ms, [LiveValue(shown(reading, now_ms, self._t), reading.value) for reading in changed])

    def alarms(self) -> LiveAlarms | None:
        """The alarms, when any of them took a step since the last call."""
        step = journal.newest_step_id(self._sight)
        if step == self._step:
            return None
        self._step = step
        found = journal.open_alarms(self._sight)
        waiting = (alarm for alarm in found if alarm.acknowledged_at_ms is None)
        newest = max(waiting, key=lambda alarm: alarm.id, default=None)
        zone = zone_of(self._here.config)
        words = describe(newest.facts, self._t.locale, zone).what if newest else ""
        return LiveAlarms(step, len(found), worst(found), newest.id if newest else 0, words)

    def _look(self, now_ms: int) -> None:
        """Edges may have announced new series since."""
        self._series = {one.id: one for one in self._followed.series(self._sight)}
        self._looked_at_ms = now_ms


async def place(request: Request) -> AsyncIterator[None]:
    """Holds one of the bounded number of streams while it runs. Raises TooManyStreams."""
    streams: Streams = request.app.state.streams
    if streams.open >= MAX_STREAMS:
        raise TooManyStreams(f"{MAX_STREAMS} live streams are open already")
    streams.open += 1
    try:
        yield
    finally:
        streams.open -= 1


def watch_of(
    here: Here, act: Viewing, home: str | None = None, furnace: Number | None = None, lang: Locale = Locale.ZH
) -> Watch:
    """The stream that was asked for; `furnace` is a furnace's id."""
    return Watch(here, act.sight, Followed(home, furnace), texts(lang))


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    summary="Changed values and alarms, once a second",
    dependencies=[Depends(place)],
)
async def stream(
    here: Here, act: Viewing, watch: Annotated[Watch, Depends(watch_of)]
) -> AsyncIterator[ServerSentEvent]:
    """All tags of a furnace, or the few that tiles show. Events `values` and `alarms`.

    Ends when the service stops, and when the reader may no longer see what they follow.
    """
    for step in count():
        if here.closing.is_set():
            return
        try:
            if step % ASK_AGAIN_S == ASK_AGAIN_S - 1:
                await run_in_threadpool(lambda: watch.see(act.renewed().sight))
            values = await run_in_threadpool(watch.values)
            alarms = await run_in_threadpool(watch.alarms)
        except (StoreError, NotFound, NotSignedIn, Forbidden):
            return  # the browser comes back by itself, and is told everything anew, or why not
        yield _event("values", values)
        if alarms is not None:
            yield _event("alarms", alarms)
        await asyncio.sleep(EVERY_S)


def _event(name: str, data: LiveValues | LiveAlarms) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=msgspec.json.encode(data).decode(), retry=RETRY_MS)
