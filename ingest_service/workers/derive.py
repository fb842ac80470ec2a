"""Writes the derived series: what was judged, alarmed, marked and burned since last time, and how all stands now."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo

import msgspec

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.config import Retention
from ingest_service.emissions.pack import RulePack
from ingest_service.emissions.preview import Preview
from ingest_service.intake.counters import IngestCounters
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store import journal, overview
from ingest_service.store.channels import Channels
from ingest_service.store.derived import changes
from ingest_service.store.derived.point import DerivedStore, Point, fields_of
from ingest_service.store.live import LiveTable
from ingest_service.store.marks import Act
from ingest_service.store.overview import Reader
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers import derived_points as points
from ingest_service.workers.loop import run_every
from ingest_service.workers.place_names import (
    MEASUREMENT,
    NAMED,
    History,
    history_of,
    joined,
    named,
    news,
    place_of,
    points_of,
)
from ingest_service.workers.plant_points import Now, completeness, edges_now, furnaces_now, measured

INTERVAL_S = 10.0
ROWS_AT_ONCE = 5_000
SETTLED_MS = 60_000  # what a server said before it is certain to have kept
HOURS_AGAIN = 26  # so many hours back are made again each hour, for what no verdict tells of
HOURS_AT_ONCE = 12  # a minute
_LOOK_BACK_MS = 400 * 24 * HOUR_MS


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures come from; the callables give what holds now."""

    reader: Reader
    store: TimeSeriesStore
    channels: Callable[[], Channels]
    live: LiveTable
    edges: Callable[[], Sequence[EdgeView]]
    previews: Callable[[], Sequence[Preview]]
    counters: Callable[[], IngestCounters]
    packs: tuple[RulePack, ...]
    zone: tzinfo
    silent_after_s: float
    retention: Retention = Retention()


class DeriveWorker:
    """Points are made once for each row, and again for its revisions; how far it has come stands in the same store."""

    def __init__(self, sources: Sources, derived: DerivedStore, clock: Callable[[], int]) -> None:
        self._from, self._derived, self._clock = sources, derived, clock
        self._seen: dict[str, int] = {}
        self._minute = self._hour = 0
        self._names: History = {}  # of places; empty until they were looked for
        self._due: set[int] = set()  # hours since 1970 whose completeness may have changed

    def step(self, now_ms: int) -> int:
        """Write what is new; return the number of points."""
        self._seen = self._seen or self._seen_before(now_ms)
        if not self._names or now_ms // MINUTE_MS != self._minute:
            self._learn_names(now_ms)
        written = sum(self._catch_up(table, now_ms) for table in _TABLES)
        if now_ms // HOUR_MS != self._hour:
            self._due |= {now_ms // HOUR_MS - back for back in range(1, HOURS_AGAIN + 1)}
            self._derived.retire(self._from.retention, now_ms)
            self._hour = now_ms // HOUR_MS
        if now_ms // MINUTE_MS != self._minute:
            written += self._write(self._standing(now_ms), now_ms)
            written += self._write(self._hours(now_ms), now_ms)
            self._minute = now_ms // MINUTE_MS
        return written

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("derive", INTERVAL_S, self.step, self._clock, stop)

    def _learn_names(self, now_ms: int) -> None:
        """Keep what places are called from now on, where it is something else than before."""
        if not self._names:
            self._names = history_of(self._derived.read(MEASUREMENT, lambda _tags: True, 0, now_ms + HOUR_MS))
        reader = self._from.reader
        furnaces = overview.furnaces(reader)  # before the homes, which may grow meanwhile
        later = news(self._names, overview.homes(reader), furnaces, now_ms)
        if later:
            self._derived.write(list(points_of(later)))
            self._names = joined(self._names, later)

    def _named(self, made: Sequence[Point], now_ms: int) -> list[Point]:
        """With the names of places; those of a furnace that is new since the last minute are looked for."""
        if any(one.measurement in NAMED and place_of(one.tags) not in self._names for one in made):
            self._learn_names(now_ms)
        return [named(point, self._names) for point in made]

    def _seen_before(self, now_ms: int) -> dict[str, int]:
        """The rows that were seen before the last moments, of which a server may have lost something."""
        columns = self._derived.read("progress", lambda _tags: True, now_ms - _LOOK_BACK_MS, now_ms + HOUR_MS)
        found = dict.fromkeys(_TABLES, 0)
        for column in columns:
            settled = column.value[column.at_ms <= column.at_ms[-1] - SETTLED_MS]
            if len(settled):
                found[dict(column.tags)["what"]] = int(settled[-1])
        return found

    def _catch_up(self, table: str, now_ms: int) -> int:
        """Make points of the rows of a table that were not seen, some at a time."""
        written = 0
        while rows := _TABLES[table](self._from, self._seen[table]):
            newest = rows[-1].id
            made = [*(point for row in rows for point in row.points), *points.progress({table: newest}, now_ms)]
            judged_ms = [point.at_ms for point in made if point.measurement == "average"]
            if judged_ms:
                made += self._exceedances(min(judged_ms), max(judged_ms), now_ms)
            written += self._write(made, now_ms)
            self._due |= {at_ms // HOUR_MS for at_ms in judged_ms}
            self._seen[table] = newest
        return written

    def _exceedances(self, from_ms: int, to_ms: int, now_ms: int) -> list[Point]:
        """What stands beyond a limit round the periods that were judged, and that nothing else does any more."""
        rows = changes.exceedances_touching(self._from.reader, from_ms, to_ms)
        events = [points.exceedance_event(row, points.clause_of(self._from.packs, row)) for row in rows]
        made = self._named(events, now_ms)
        known = {(point.tags, point.at_ms) for point in made}
        told = self._derived.read("event", _is_exceedance, from_ms, to_ms + 1, {"holds"})
        begun = {(one.tags, at_ms) for one in told for at_ms in one.at_ms[one.value > 0].tolist()}
        return [*made, *(points.withdrawn_exceedance(tags, at_ms) for tags, at_ms in sorted(begun - known))]

    def _write(self, made: Sequence[Point], now_ms: int) -> int:
        if made:
            self._derived.write(self._named(made, now_ms))
        return len(made)

    def _standing(self, now_ms: int) -> list[Point]:
        """How furnaces, edges, alarms and the service stand."""
        reader, sources, at_ms = self._from.reader, self._from, now_ms // MINUTE_MS * MINUTE_MS
        alarms, furnaces, edges = journal.open_alarms(reader), overview.furnaces(reader), overview.edges(reader)
        homes = overview.homes(reader)  # after what stands in them, for they may grow meanwhile
        now = Now(
            now_ms=now_ms, at_ms=at_ms, homes=homes, furnaces=furnaces, edges=edges,
            views=sources.edges(), silent_after_s=sources.silent_after_s, channels=sources.channels(),
            live=sources.live.rows(), alarms=alarms, previews=sources.previews(),
        )  # fmt: skip
        counted = points.open_alarms(alarms, [home.id for home in homes], at_ms)
        return [*furnaces_now(now), *edges_now(now), *counted, self._service(at_ms, now_ms)]

    def _service(self, at_ms: int, now_ms: int) -> Point:
        """The service's own figures, which belong to no home."""
        counters, status = self._from.counters(), self._from.store.status()
        sent = changes.deliveries_by_state(self._from.reader)
        fields = fields_of(
            lag_s=max(0.0, (now_ms - counters.last_commit_at_ms) / 1000) if counters.last_commit_at_ms else None,
            samples_stored=float(counters.samples_stored), queued_messages=float(counters.queued_messages),
            samples_rejected=float(sum(counters.samples_rejected.values())),
            deliveries_pending=float(sent.get("pending", 0) + sent.get("sending", 0)),
            deliveries_dead=float(sent.get("dead", 0)), disk_bytes=status.disk_bytes, free_bytes=status.free_bytes,
        )  # fmt: skip
        return Point("service", (), at_ms, fields)

    def _hours(self, now_ms: int) -> list[Point]:
        """Completeness and energy of some of the hours that are over and of which something else is known now."""
        over = sorted((hour for hour in self._due if (hour + 1) * HOUR_MS <= now_ms), reverse=True)
        made: list[Point] = []
        for hour in over[:HOURS_AT_ONCE]:  # the means of a fleet's day would fill the memory
            made += self._hour_points(hour * HOUR_MS)
            self._due.discard(hour)
        return made

    def _hour_points(self, hour_ms: int) -> list[Point]:
        channels, reader = self._from.channels(), self._from.reader
        means = self._from.store.means(HOUR_MS, channels.series.tolist(), hour_ms, hour_ms + HOUR_MS)
        used = changes.used_within(reader, hour_ms, hour_ms + HOUR_MS)
        furnaces = overview.furnaces(reader)
        of_means = (*completeness(means, channels, furnaces), *measured(means, channels, furnaces))
        return [*of_means, *(points.energy(hour) for hour in used)]


class _Row(msgspec.Struct, frozen=True):
    """What became of one row of a table."""

    id: int
    points: tuple[Point, ...]


def _judged(sources: Sources, seen: int) -> list[_Row]:
    rows = changes.periods_since(sources.reader, seen, ROWS_AT_ONCE)
    return [_Row(row.id, (points.average(row, points.bound_of(sources.packs, row)),)) for row in rows]


def _burned(sources: Sources, seen: int) -> list[_Row]:
    found = []
    for row in changes.cremations_since(sources.reader, seen, ROWS_AT_ONCE):
        earlier = changes.earlier_charges(sources.reader, row) if row.revision else []
        gone = (points.withdrawn_cremation(row, at_ms) for at_ms in earlier)
        found.append(_Row(row.id, (*gone, points.cremation(row), points.cremation_event(row))))
    return found


def _marked(sources: Sources, seen: int) -> list[_Row]:
    found = []
    for row in changes.marks_since(sources.reader, seen, ROWS_AT_ONCE):
        replaced = changes.mark(sources.reader, row.replaces) if row.replaces is not None else []
        own = () if row.act == Act.WITHDRAWN else (points.mark_event(row, holds=True),)
        found.append(_Row(row.id, (*(points.mark_event(one, holds=False) for one in replaced), *own)))
    return found


def _alarmed(sources: Sources, seen: int) -> list[_Row]:
    found = []
    for step in changes.steps_since(sources.reader, seen, ROWS_AT_ONCE):
        record = journal.alarm(sources.reader, step.alarm_id)
        event = points.alarm_event(record, sources.zone) if record else None
        found.append(_Row(step.id, (event,) if event else ()))
    return found


def _is_exceedance(tags: Mapping[str, str]) -> bool:
    return tags.get("kind") == points.EXCEEDANCE


_TABLES: dict[str, Callable[[Sources, int], list[_Row]]] = {
    "judgement": _judged, "cremation": _burned, "mark": _marked, "alarm": _alarmed,
}  # fmt: skip
