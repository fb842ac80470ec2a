"""Files of samples or means: what `ingest-service store export` writes, while the service runs."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from edge_agent.wire.durations import DAY_MS
from ingest_service.api.access import Seeing
from ingest_service.api.context import Here
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.schemas import ErrorOut
from ingest_service.api.series import From, To
from ingest_service.api.snapshot import found_furnace
from ingest_service.audit.entry import Action
from ingest_service.store import overview
from ingest_service.store.exporting import Content, Form, Order, export

MOST_SERIES_DAYS = {Content.RAW: 100, Content.MINUTE: 5_000, Content.HOUR: 100_000}
MEDIA = {Form.CSV: "text/csv; charset=utf-8", Form.PARQUET: "application/vnd.apache.parquet"}

router = APIRouter(tags=["series"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})


@router.get(
    "/homes/{home}/furnaces/{furnace}/export",
    summary="Samples or means of a furnace as CSV or Parquet",
    response_class=FileResponse,
)
def export_furnace(
    home: str,
    furnace: str,
    from_ms: From,
    to_ms: To,
    here: Here,
    act: Seeing,
    content: Content = Content.RAW,
    form: Annotated[Form, Query(alias="format")] = Form.CSV,
    channel: Annotated[list[str], Query(description="all channels where none is named")] = [],  # noqa: B006 - read only
) -> FileResponse:
    """The channels of a furnace in [from, to): at most 100 days of one tag as samples, or as much of several."""
    sight = act.sight
    known = overview.series(sight, [found_furnace(sight, home, furnace).id])
    wanted = [series for series in known if not channel or series.channel in channel]
    if not wanted:
        raise NotFound(f"no such channel at furnace {furnace!r} of home {home!r}")
    _check_size(len(wanted), from_ms, to_ms, content)
    order = Order(series=wanted, from_ms=from_ms, to_ms=to_ms, content=content, zone=here.config.judging.time_zone)
    span = {"from_ms": from_ms, "to_ms": to_ms, "content": content, "format": form}
    here.audit.record(act.doing().entry(Action.EXPORTED, f"furnace {home}/{furnace}", after=span, home=home))
    with ExitStack() as unsent:
        folder = unsent.enter_context(tempfile.TemporaryDirectory(prefix="clearstack-export-"))
        path = Path(folder) / f"{home}-{furnace}-{content}.{form}"
        export(here.store, order, form, path)
        sent = unsent.pop_all()  # the folder goes when the file has been sent
    return FileResponse(path, media_type=MEDIA[form], filename=path.name, background=BackgroundTask(sent.close))


def _check_size(series: int, from_ms: int, to_ms: int, content: Content) -> None:
    if to_ms <= from_ms:
        raise InvalidRequest("from must lie before to (both ms since 1970 UTC)")
    most = MOST_SERIES_DAYS[content]
    if series * (to_ms - from_ms) > most * DAY_MS:
        raise InvalidRequest(
            f"too much at once: at most {most} days of one channel as {content}, or as much of several"
        )
