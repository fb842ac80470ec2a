"""The page of the audit trail: who did what, from where, what was before and after, and why."""

from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from ingest_service.api.audit import Auditing, audited_homes
from ingest_service.api.context import Here
from ingest_service.api.page.rendering import OpenPage, Page
from ingest_service.api.page.texts import Texts
from ingest_service.audit.chain import Record
from ingest_service.audit.entry import Action
from ingest_service.store.audit import AuditFilter

SHOWN = 100

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Word = Annotated[str, Query(max_length=200)]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the form asks for; "" and None are no condition. Both days are counted in, in the site's zone."""

    who: str
    action: str
    text: str
    since: date | None
    until: date | None

    def query(self) -> dict[str, str]:
        """The form again, as the query of this page."""
        fields = msgspec.structs.asdict(self)
        return {key: str(value) for key, value in fields.items() if value}

    def times(self, page: Page) -> dict[str, int]:
        """The days as the interface for programs asks for them."""
        found = {}
        if self.since:
            found["from"] = page.clock.midnight_ms(self.since)
        if self.until:
            found["to"] = page.clock.midnight_ms(self.until + timedelta(days=1))
        return found

    def export(self, page: Page) -> str:
        """The query of the same records as a file."""
        words = {key: value for key, value in self.query().items() if key in ("who", "action", "text")}
        return urlencode({**words, **self.times(page)})


@router.get("/audit")
def show_trail(
    here: Here,
    page: OpenPage,
    act: Auditing,
    who: Word = "",
    action: Word = "",
    text: Word = "",
    since: Word = "",
    until: Word = "",
    before: Annotated[int | None, Query(ge=1, le=10**15)] = None,
) -> HTMLResponse:
    """The newest records that match, a hundred at a time."""
    asked = Asked(who=who.strip(), action=action, text=text.strip(), since=_day(since), until=_day(until))
    times = asked.times(page)
    wanted = AuditFilter(
        homes=audited_homes(here, act),
        who=asked.who or None,
        action=asked.action or None,
        text=asked.text or None,
        from_ms=times.get("from"),
        to_ms=times.get("to"),
        before_number=before,
    )
    found = here.audit.newest(wanted, SHOWN + 1)
    return page.render(
        "audit.html",
        "audit",
        records=found[:SHOWN],
        asked=asked,
        actions=list(Action),
        older=_older(asked, found),
        export=asked.export(page),
        end=here.audit.head() if wanted.homes is None else None,
        state=lambda text: state_told(text, page.t),
    )


def state_told(text: str, t: Texts) -> str:
    """What a record says of a state, without the marks of JSON; of an alarm in the reader's language."""
    try:
        fields = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return text
    if [*fields] == ["state"]:
        return t.known("alarm_state", str(fields["state"]))
    return ", ".join(f"{name}: {_plain(value)}" for name, value in fields.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _older(asked: Asked, found: tuple[Record, ...]) -> str:
    """The address of the next hundred; "" where there are no more."""
    if len(found) <= SHOWN:
        return ""
    return f"/audit?{urlencode({**asked.query(), 'before': found[SHOWN - 1].number})}"


def _day(text: str) -> date | None:
    """A day as a browser sends it; what is none is no condition."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
