"""The live stream: once a second, what changed since the last event. A slow reader misses steps, never the present."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Annotated

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from ingest_service.alarms.texts import describe
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.access import Act, needs
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import Forbidden, NotFound, NotSignedIn, TooManyStreams
from ingest_service.api.fleet import series_of
from ingest_service.api.numbers import Number
from ingest_service.api.page.alarm_view import most_urgent
from ingest_service.api.page.formats import zone_of
from ingest_service.api.page.shown import Shown, shown
from ingest_service.api.page.texts import Texts, texts
from ingest_service.api.page.tiles import TILE_QUANTITIES
from ingest_service.api.readings import readings
from ingest_service.api.snapshot import found_home
from ingest_service.columns import Int32s
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
    """What changed, as of `now_ms` (centre's clock).

    Where only some tiles are followed, `newest_at_ms` is when the newest value of all furnaces in sight was measured.
    """

    now_ms: int
    values: list[LiveValue]
    newest_at_ms: int | None = None


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
    """What a page shows: a furnace in full, or tiles: of a home, of some furnaces, or of every furnace in sight."""

    home: str | None
    furnace: int | None
    tiles: frozenset[int] | None = None

    def series(self, sight: Reader) -> list[KnownSeries]:
        """The series that the page shows. Raises NotFound where the reader sees no such home or furnace."""
        if self.home is not None:
            found_home(sight, self.home)
        furnaces = overview.homes_of_furnaces(sight)
        own = [furnace for furnace, home in furnaces.items() if self.home in (None, home)]
        if self.furnace is not None:
            if self.furnace not in own:
                raise NotFound(f"no furnace {self.furnace}")
            return overview.series(sight, [self.furnace])
        if self.tiles is not None:
            own = [furnace for furnace in own if furnace in self.tiles]
        return overview.series(sight, own, quantities=TILE_QUANTITIES)


class Watch:
    """One reader's stream: what it follows, and up to where it has been told. Not to be shared."""

    def __init__(self, here: Context, sight: Reader, followed: Followed, t: Texts) -> None:
        self._here = here
        self._sight = sight
        self._followed = followed
        self._t = t
        self._series: dict[int, KnownSeries] = {}
        self._all: Int32s | None = None  # of every furnace in sight, where only some tiles are followed
        self._looked_at_ms = 0
        self._version = -1
        self._step = -1
        self._last = -1  # of all steps: those up to it were looked through
        self._look(here.clock())

    def see(self, sight: Reader) -> None:
        """Follow what the reader may see from now on. Raises NotFound where that is nothing of what they follow."""
        if sight.scope != self._sight.scope:
            self._sight, self._step, self._last = sight, -1, -1
            self._look(self._here.clock())

    def values(self) -> LiveValues:
        """The values that changed since the last call; all of them at the first."""
        now_ms, version = self._here.clock(), self._here.live.version
        if now_ms - self._looked_at_ms > LOOK_AGAIN_MS:
            self._look(now_ms)
        rows = self._here.live.changed_since(self._version, list(self._series))
        self._version = version
        changed = readings([self._series[int(one)] for one in rows.series], rows)
        values = [LiveValue(shown(reading, now_ms, self._t), reading.value) for reading in changed]
        return LiveValues(now_ms, values, None if self._all is None else self._here.live.newest_ms(self._all))

    def alarms(self) -> LiveAlarms | None:
        """The alarms, when any of them took a step since the last call."""
        last = journal.last_step_id(self._sight)
        step = journal.newest_step_id(self._sight, self._last) if last > self._last else 0
        self._last = last
        if step <= self._step:
            return None
        self._step = step
        found = journal.count_open(self._sight)
        newest = journal.alarm(self._sight, found.newest_unacknowledged)
        zone = zone_of(self._here.config)
        words = describe(newest.facts, self._t.locale, zone).what if newest else ""
        return LiveAlarms(step, found.count, most_urgent(found.by_severity), newest.id if newest else 0, words)

    def _look(self, now_ms: int) -> None:
        """Edges may have announced new series since."""
        self._series = {one.id: one for one in self._followed.series(self._sight)}
        if self._followed.tiles is not None:
            furnaces = [*overview.homes_of_furnaces(self._sight)]
            self._all = series_of(self._here, np.array(furnaces, np.int64))
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
    here: Here,
    act: Viewing,
    home: str | None = None,
    furnace: Number | None = None,
    tiles: Annotated[str | None, Query(pattern=r"^([0-9]{1,9}(,[0-9]{1,9}){0,299})?$")] = None,
    lang: Locale = Locale.ZH,
) -> Watch:
    """The stream that was asked for; `furnace` is a furnace's id, `tiles` are ids parted by commas."""
    some = None if tiles is None else frozenset(map(int, filter(None, tiles.split(","))))
    return Watch(here, act.sight, Followed(home, furnace, some), texts(lang))


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
