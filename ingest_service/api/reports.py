"""Compliance reports as files: a day, a month, a year or one cremation, of a furnace or of a whole home."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.access import Seeing
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.page.formats import zone_of
from ingest_service.api.page.language import chosen
from ingest_service.api.page.texts import texts
from ingest_service.api.schemas import ErrorOut
from ingest_service.api.snapshot import found_furnace, found_home
from ingest_service.audit.entry import Action
from ingest_service.reports.forms import Form, render
from ingest_service.reports.gathering import Records, cremation_span, gather
from ingest_service.reports.html import content_security_policy
from ingest_service.reports.span import Kind, ReportSpan, calendar_span
from ingest_service.reports.telling import Telling
from ingest_service.store import overview
from ingest_service.store.cycles import cycle_of
from ingest_service.store.overview import Reader
from ingest_service.store.rows import FurnaceRow

router = APIRouter(tags=["compliance"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})

Language = Annotated[Locale | None, Query(alias="lang", description="without it, what the reader prefers")]
Furnace = Annotated[str, Query(description="name of a furnace of the home; all of them where it is empty")]


@router.get("/homes/{home}/reports/{kind}/{label}", summary="A compliance report as a file", response_class=Response)
def download_report(
    home: str,
    kind: Kind,
    label: str,
    request: Request,
    here: Here,
    act: Seeing,
    furnace: Furnace = "",
    form: Annotated[Form, Query(alias="format")] = Form.HTML,
    language: Language = None,
) -> Response:
    """`label` is 2026-11-23, 2026-11, 2026 or a case number. The same records give the same bytes."""
    sight = act.sight
    row = found_home(sight, home)
    furnaces = [found_furnace(sight, home, furnace)] if furnace else overview.furnaces(sight, home)
    zone = zone_of(here.config)
    site = here.config.cremations, here.config.judging.barometric_pa
    records = Records(sight, here.store, here.book, zone, here.version, here.awaits, *site)
    report = gather(records, row, furnaces, _span(here, sight, kind, label, furnaces if furnace else []))
    locale = language or chosen(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    file = render(report, form, Telling(texts(locale), zone))
    if form is not Form.HTML:
        made = act.doing().entry(Action.EXPORTED, f"report {file.name}", after={"format": form}, home=home)
        here.audit.record(made)
    response = Response(file.content, media_type=file.media_type, headers={"Cache-Control": "no-store"})
    if form is Form.HTML:
        response.headers["Content-Security-Policy"] = content_security_policy()
    shown = "inline" if form is Form.HTML else "attachment"
    response.headers["Content-Disposition"] = f'{shown}; filename="{file.name}"'
    return response


def _span(here: Context, sight: Reader, kind: Kind, label: str, furnace: list[FurnaceRow]) -> ReportSpan:
    """The time of a report. Raises InvalidRequest and NotFound."""
    if kind is not Kind.CREMATION:
        try:
            return calendar_span(kind, label, zone_of(here.config))
        except ValueError as error:
            raise InvalidRequest(str(error)) from error
    if not furnace:
        raise InvalidRequest("a report on a cremation needs its furnace")
    found = cycle_of(sight, furnace[0].id, label)
    if found is None:
        raise NotFound(f"no cremation {label!r} at furnace {furnace[0].name!r}")
    return cremation_span(found)
