"""One request for a page: who reads, in which language, at what moment; and the rendering of its template."""

from functools import cache
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.access import NOTHING, Asking, Sight, known_caller, scope_of
from ingest_service.api.context import Context, Here
from ingest_service.api.page.alarm_view import most_urgent
from ingest_service.api.page.assets import asset_url
from ingest_service.api.page.formats import Clock, zone_of
from ingest_service.api.page.language import COOKIE, chosen
from ingest_service.api.page.texts import LANG_TAGS, Texts, texts
from ingest_service.people.decision import Caller, CallerKind, has, may_at, may_at_home
from ingest_service.people.roles import Right
from ingest_service.store import journal
from ingest_service.store.overview import Reader

YEAR_S = 31_536_000


class Navigation(msgspec.Struct, frozen=True):
    """One entry of the main navigation, for those who have the right; `key` is its text's name."""

    key: str
    href: str
    right: Right = Right.VIEW


NAVIGATION = (
    Navigation("overview", "/"),
    Navigation("alarms", "/alarms"),
    Navigation("inbox", "/inbox"),
    Navigation("data", "/data"),
    Navigation("people", "/people", Right.PEOPLE),
    Navigation("audit", "/audit", Right.AUDIT),
)


class Page:
    """What every page needs; made anew for each request."""

    def __init__(self, request: Request, here: Context, sight: Reader, reader: Caller | None) -> None:
        self.request = request
        self.here = here
        self.sight = sight
        self.reader = reader
        self.now_ms = here.clock()
        self.clock = Clock(zone_of(here.config))
        self.locale = chosen(request.query_params, request.cookies, request.headers.get("accept-language", ""))
        self.t: Texts = texts(self.locale)

    def may(self, right: Right) -> bool:
        """Whether the reader has a right anywhere."""
        return self.reader is not None and has(self.reader, right)

    def may_at(self, right: Right, home_id: str) -> bool:
        """Whether they have it at a home."""
        tree = self.here.people.directory.tree
        return self.reader is not None and may_at_home(self.reader, right, home_id, tree())

    def may_at_node(self, right: Right, node_id: str) -> bool:
        """Whether they have it at a node of the organisation."""
        return self.reader is not None and may_at(self.reader, right, node_id, self.here.people.directory.tree())

    def render(self, template: str, here_key: str, stream: str = "", status: int = 200, **values: Any) -> HTMLResponse:
        """The template with these values. `stream` is the query of the live stream that feeds the page."""
        body = templates().get_template(template).render(**self._common(here_key, stream), **values)
        response = HTMLResponse(body, status_code=status, headers={"Cache-Control": "no-store"})
        response.headers["Content-Language"] = LANG_TAGS[self.locale]
        if self.request.query_params.get("lang") == self.locale:
            secure = self.request.url.scheme == "https"
            response.set_cookie(COOKIE, self.locale, YEAR_S, samesite="lax", httponly=True, secure=secure)
        return response

    def _common(self, here_key: str, stream: str) -> dict[str, Any]:
        other = Locale.EN if self.locale is Locale.ZH else Locale.ZH
        shows = self.may(Right.VIEW) and here_key != "error"
        step = journal.newest_step_id(self.sight) if shows else 0  # before the alarms: never too new
        alarms = journal.count_open(self.sight) if shows else journal.OpenAlarms({}, 0)
        return {
            "t": self.t,
            "clock": self.clock,
            "now_ms": self.now_ms,
            "here": here_key,
            "navigation": [item for item in NAVIGATION if self.may(item.right)],
            "reader": self.reader,
            "may_people": self.may(Right.PEOPLE),
            "may_tree": self.may(Right.TREE),
            "is_local": self.reader is not None and self.reader.kind is CallerKind.LOCAL,
            "alarm_count": alarms.count,
            "worst": most_urgent(alarms.by_severity),
            "alarm_step": step,
            "newest_alarm": alarms.newest_unacknowledged,
            "stream": f"/api/v1/stream?lang={self.locale}{'&' if stream else ''}{stream}" if shows else "",
            "lang_tag": LANG_TAGS[self.locale],
            "other_lang_tag": LANG_TAGS[other],
            "other_language_url": str(self.request.url.include_query_params(lang=other).replace(scheme="", netloc="")),
            "zone": self.clock.zone.key,
            "zone_offset": self.clock.offset(self.now_ms),
            "version": self.here.version,
        }


def page_of(request: Request, here: Here, sight: Sight, reader: Asking) -> Page:
    """The page of this request."""
    return Page(request, here, sight, reader)


def open_page_of(request: Request, here: Here) -> Page:
    """A page for whoever asks, strangers too: it shows of the homes what the reader may see anyway."""
    reader = known_caller(request)
    sees = reader is not None and has(reader, Right.VIEW)
    scope = scope_of(here, reader, Right.VIEW) if reader is not None and sees else NOTHING
    return Page(request, here, here.reader(scope), reader)


AnyPage = Annotated[Page, Depends(page_of)]
OpenPage = Annotated[Page, Depends(open_page_of)]


@cache
def templates() -> Environment:
    """The templates; an unknown name in one is an error, and what is filled in is escaped."""
    environment = Environment(
        loader=PackageLoader("ingest_service.api.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset_url
    return environment
