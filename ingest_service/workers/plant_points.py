"""Points of how furnaces and edges stand now, and of how complete their hours are. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.quantity import PHASES
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.units import Pollutant
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.batch import MeanBatch
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.derived.point import Point, Tags, fields_of, tags_of
from ingest_service.store.journal import AlarmRecord
from ingest_service.store.live import LiveRows
from ingest_service.store.rows import EdgeRow, FurnaceRow, HomeRow
from ingest_service.workers.derived_points import headroom_pct
from ingest_service.workers.place_names import called

Owners = NDArray[np.int64]  # beside the channels: whose each is
Chosen = NDArray[np.bool_]  # beside the channels
_BURNING = {code for code, name in PHASES.items() if name not in ("idle", "cooling")}
_HOURS = 1 << 24  # more than there are since 1970
MEASURED = {one.value for one in Pollutant if one.is_concentration}
KEYS = {"flue_o2", "co", "chamber2_temperature"}  # without these nothing is judged
OUTBOX_DEPTH, OUTBOX_AGE = "outbox_depth", "outbox_oldest_s"  # what an edge of ours says of itself


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What is known at `now_ms`, to be written at `at_ms`, a whole minute (both ms since 1970 UTC)."""

    now_ms: int
    at_ms: int
    homes: Sequence[HomeRow]
    furnaces: Sequence[FurnaceRow]
    edges: Sequence[EdgeRow]
    views: Sequence[EdgeView]
    silent_after_s: float
    channels: Channels
    live: LiveRows
    alarms: Sequence[AlarmRecord]
    previews: Sequence[Preview]


def furnaces_now(now: Now) -> Iterator[Point]:
    """Phase, head-room, open alarms and age of the newest sample of every furnace."""
    homes = _homes(now)
    phases = _newest(now, now.channels.quantity == "phase", now.channels.furnace)
    newest_ms = _newest_ms(now, now.channels.furnace)
    headroom = _headroom(now.previews)
    for furnace in now.furnaces:
        own = [alarm for alarm in now.alarms if alarm.furnace_id == furnace.id]
        at_ms = newest_ms.get(furnace.id)
        phase, room = phases.get(furnace.id), headroom.get(furnace.id)
        fields = fields_of(
            phase=phase, headroom_pct=room, alarms=float(len(own)),
            burning=float(phase in _BURNING), beyond=float(room is not None and room < 0),
            age_s=None if at_ms is None else max(0.0, (now.now_ms - at_ms) / 1000),
        )  # fmt: skip
        yield Point("furnace", _furnace_tags(furnace, homes[furnace.home_id], now.at_ms), now.at_ms, fields)


def edges_now(now: Now) -> Iterator[Point]:
    """Whether each edge is there, how late its data are, and what waits at it."""
    views = {view.edge_id: view for view in now.views}
    homes = _homes(now)
    of_edge = _edge_numbers(now)
    newest_ms = _newest_ms(now, of_edge)
    own = {name: _newest(now, _of_nodes(now, name), of_edge) for name in (OUTBOX_DEPTH, OUTBOX_AGE)}
    for edge in now.edges:
        view = views.get(edge.id)
        seen_ms = view.last_seen_ms if view else edge.last_seen_ms
        heard = view is not None and view.online and now.now_ms - seen_ms <= now.silent_after_s * 1000
        at_ms = newest_ms.get(edge.id)
        fields = fields_of(
            online=float(heard), silent=float(not heard), silent_s=max(0.0, (now.now_ms - seen_ms) / 1000),
            lag_s=None if at_ms is None else max(0.0, (now.now_ms - at_ms) / 1000),
            clock_offset_ms=view.clock_offset_ms if view else None, outbox_blocks=own[OUTBOX_DEPTH].get(edge.id),
            outbox_oldest_s=own[OUTBOX_AGE].get(edge.id), seq_gaps=float(view.seq_gaps) if view else None,
        )  # fmt: skip
        home = called(homes[edge.home_id], None, now.at_ms)
        tags = tags_of(home=edge.home_id, edge=edge.name, home_zh=home.home_zh, home_en=home.home_en)
        yield Point("edge", tags, now.at_ms, fields)


def completeness(means: MeanBatch, channels: Channels, furnaces: Iterable[FurnaceRow]) -> Iterator[Point]:
    """The share of each hour for which the channels of a furnace had a good value, %."""
    if not len(means) or not len(channels):
        return
    owner = channels.furnace[np.searchsorted(channels.series, means.series)]
    names = {furnace.id: furnace for furnace in furnaces}
    ids, counts = np.unique(channels.furnace, return_counts=True)
    channels_of = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    found, place = np.unique(owner * _HOURS + means.start_ms // HOUR_MS, return_inverse=True)
    covered = np.bincount(place, weights=means.covered)
    for key, total in zip(found.tolist(), covered.tolist(), strict=True):
        furnace = names.get(key // _HOURS)
        if furnace is not None:
            count = channels_of[furnace.id]
            tags = tags_of(home=furnace.home_id, furnace=furnace.name)
            fields = fields_of(covered_pct=min(100.0, 100.0 * total / count), channels=float(count))
            yield Point("completeness", tags, key % _HOURS * HOUR_MS, fields)


def measured(means: MeanBatch, channels: Channels, furnaces: Iterable[FurnaceRow]) -> Iterator[Point]:
    """Hour means of concentrations as measured, and for which share of the hour the key quantities were good."""
    if not len(means) or not len(channels):
        return
    at = np.searchsorted(channels.series, means.series)
    quantities, owners = channels.quantity[at], channels.furnace[at]
    found: dict[tuple[int, int], dict[str, float | None]] = {}
    for row in np.flatnonzero(np.isin(quantities, [*MEASURED | KEYS])).tolist():
        fields, name = found.setdefault((int(owners[row]), int(means.start_ms[row])), {}), str(quantities[row])
        if name in MEASURED:
            fields[name] = float(means.mean[row])
        if name in KEYS:
            fields[f"{name}_covered"] = float(means.covered[row])
    names = {furnace.id: furnace for furnace in furnaces}
    for (owner, start_ms), fields in found.items():
        if owner in names:
            tags = tags_of(home=names[owner].home_id, furnace=names[owner].name)
            yield Point("measured", tags, start_ms, fields_of(**fields))


def _homes(now: Now) -> Mapping[str, HomeRow]:
    return {home.id: home for home in now.homes}


def _furnace_tags(furnace: FurnaceRow, home: HomeRow, at_ms: int) -> Tags:
    """Names in both languages, and choices: a name and an id, between them a sign that no id has."""
    names = called(home, furnace, at_ms)
    return tags_of(
        home=home.id, furnace=furnace.name,
        city_zh=home.city_zh or home.city_en, city_en=home.city_en or home.city_zh,
        district_zh=home.district_zh or home.district_en, district_en=home.district_en or home.district_zh,
        home_zh=names.home_zh, home_en=names.home_en, furnace_zh=names.furnace_zh, furnace_en=names.furnace_en,
        home_choice_zh=f"{names.home_zh}/{home.id}", home_choice_en=f"{names.home_en}/{home.id}",
        furnace_choice_zh=f"{names.furnace_zh}/{furnace.name}", furnace_choice_en=f"{names.furnace_en}/{furnace.name}",
    )  # fmt: skip


def _headroom(previews: Iterable[Preview]) -> dict[int, float]:
    """The worst of each furnace's running hour."""
    worst: dict[int, float] = {}
    for preview in previews:
        room = headroom_pct(preview.mean, preview.limit)
        if room is not None:
            worst[preview.furnace_id] = min(room, worst.get(preview.furnace_id, room))
    return worst


def _newest(now: Now, chosen: Chosen, owner: Owners) -> dict[int, float]:
    """By owner (a column beside the channels) the newest value of the chosen channels."""
    at = np.searchsorted(now.channels.series, now.live.series)
    known = np.flatnonzero(at < len(now.channels))
    own = known[chosen[at[known]]]
    pairs = zip(owner[at[own]].tolist(), now.live.value[own].tolist(), strict=True)
    return {one: value for one, value in pairs if one != NO_ID}


def _newest_ms(now: Now, owner: Owners) -> Mapping[int, int]:
    """By owner (a column beside the channels) the time of the newest sample, ms."""
    at = np.searchsorted(now.channels.series, now.live.series)
    known = at < len(now.channels)
    owners, times = owner[at[known]], now.live.measured_at_ms[known]
    found, place = np.unique(owners, return_inverse=True)
    newest = np.zeros(len(found), np.int64)
    np.maximum.at(newest, place, times)
    return {one: at_ms for one, at_ms in zip(found.tolist(), newest.tolist(), strict=True) if one != NO_ID}


def _edge_numbers(now: Now) -> Owners:
    """By channel the number of its edge."""
    ids = {(edge.home_id, edge.name): edge.id for edge in now.edges}
    return np.array([ids.get((row.home_id, row.edge), NO_ID) for row in now.channels.rows], np.int64)


def _of_nodes(now: Now, channel: str) -> Chosen:
    """Where a channel is one that edges have of themselves."""
    chosen = np.zeros(len(now.channels), np.bool_)
    for at in np.flatnonzero(now.channels.furnace == NO_ID).tolist():
        chosen[at] = now.channels.rows[at].channel == channel
    return chosen
