"""Whether a furnace may be charged, where a rule or the site asks for a temperature. Advice: nothing is switched."""

import msgspec

from ingest_service.api.page.formats import number
from ingest_service.api.page.rendering import Page
from ingest_service.emissions.charging import Advice, ChargeAdvice


class ChargeView(msgspec.Struct, frozen=True):
    """The advice and what it rests on."""

    advice: Advice
    mean: str
    least: str
    clause: str


def charge_view(page: Page, furnace_id: int) -> ChargeView | None:
    """The newest advice for a furnace; None where nobody asks for a temperature."""
    found = next((one for one in page.here.advice() if one.furnace_id == furnace_id), None)
    return None if found is None else _view(found, page)


def _view(found: ChargeAdvice, page: Page) -> ChargeView:
    return ChargeView(
        advice=found.advice,
        mean="–" if found.mean_c is None else number(found.mean_c, "°C"),
        least=f"{found.least_c:g}",
        clause=page.t.either(found.clause_zh, found.clause_en),
    )
