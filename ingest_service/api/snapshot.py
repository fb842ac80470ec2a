"""What homes and furnaces show now: the newest readings, the running hour and who is silent, put side by side."""

from collections.abc import Sequence

import msgspec

from ingest_service.api.context import Context
from ingest_service.api.errors import NotFound
from ingest_service.api.readings import Reading, readings
from ingest_service.emissions.preview import Preview
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store import overview
from ingest_service.store.overview import Reader
from ingest_service.store.rows import EdgeRow, FurnaceRow, HomeRow


class EdgeState(msgspec.Struct, frozen=True, kw_only=True):
    """An edge: what is known of it for good, and what the intake sees now."""

    home_id: str
    name: str
    software: str
    online: bool
    last_seen_ms: int
    clock_offset_ms: int | None
    best_effort: bool
    seq_gaps: int
    rebirths: int
    conflicts: int


def found_home(reader: Reader, home_id: str) -> HomeRow:
    """That home. Raises NotFound."""
    for home in overview.homes(reader, home_id):
        return home
    raise NotFound(f"no home {home_id!r}")


def found_furnace(reader: Reader, home_id: str, name: str) -> FurnaceRow:
    """That furnace of that home. Raises NotFound."""
    for furnace in overview.furnaces(reader, home_id):
        if furnace.name == name:
            return furnace
    raise NotFound(f"no furnace {name!r} in home {home_id!r}")


def furnace_readings(here: Context, reader: Reader, furnace_ids: Sequence[int]) -> list[Reading]:
    """The newest reading of every series of these furnaces, by series id."""
    known = overview.series(reader, furnace_ids)
    return readings(known, here.live.rows([series.id for series in known]))


def tile_readings(
    here: Context, reader: Reader, furnaces: Sequence[FurnaceRow], quantities: Sequence[str]
) -> list[Reading]:
    """The newest readings of these quantities of many furnaces; all of a furnace that has none of them."""
    known = overview.series(reader, [furnace.id for furnace in furnaces], quantities=quantities)
    others = {furnace.id for furnace in furnaces} - {series.furnace_id for series in known}
    if others:
        known += overview.series(reader, sorted(others))
    return readings(known, here.live.rows([series.id for series in known]))


def running_hours(here: Context, furnace_id: int) -> list[Preview]:
    """The running hour of a furnace, one preview a pollutant: that of the strictest limit."""
    strictest: dict[str, Preview] = {}
    for preview in here.previews():
        other = strictest.get(preview.pollutant)
        if preview.furnace_id == furnace_id and (other is None or preview.limit < other.limit):
            strictest[preview.pollutant] = preview
    return list(strictest.values())


def edge_states(here: Context, reader: Reader, home_id: str | None = None) -> list[EdgeState]:
    """The edges in sight, of one home or of all; one that has not spoken since the start is silent."""
    seen = {view.edge_id: view for view in here.edges()}
    return [_edge_state(here, row, seen.get(row.id)) for row in overview.edges(reader, home_id)]


def _edge_state(here: Context, row: EdgeRow, view: EdgeView | None) -> EdgeState:
    last_seen_ms = view.last_seen_ms if view else row.last_seen_ms
    heard = here.clock() - last_seen_ms <= here.config.judging.silent_after_s * 1000
    return EdgeState(
        home_id=row.home_id,
        name=row.name,
        software=row.software,
        online=view is not None and view.online and heard,
        last_seen_ms=last_seen_ms,
        clock_offset_ms=view.clock_offset_ms if view else None,
        best_effort=view.best_effort if view else False,
        seq_gaps=view.seq_gaps if view else 0,
        rebirths=view.rebirths if view else 0,
        conflicts=view.conflicts if view else 0,
    )
