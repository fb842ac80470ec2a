"""The running hour of one pollutant as a bar against its limit. Pure."""

from enum import StrEnum

import msgspec

from edge_agent.wire.quantity import quantities
from ingest_service.api.page.formats import number, unit_text
from ingest_service.api.page.texts import Texts
from ingest_service.emissions.preview import Preview

LIMIT_AT = 100.0  # where the limit stands on the bar's own scale
BAR_END = 120.0


class Against(StrEnum):
    """How the mean so far stands against the limit."""

    BELOW = "below"
    OVER = "over"


class HourBar(msgspec.Struct, frozen=True):
    """`fill` is on a scale where the limit is 100; `sentence` says in words what the bar shows."""

    pollutant: str
    name: str
    mean: str
    limit: str
    unit: str
    fill: float
    against: Against
    valid_minutes: int
    sentence: str


def hour_bar(preview: Preview, t: Texts) -> HourBar | None:
    """The bar of a running hour, None while it has no mean."""
    if preview.mean is None:
        return None
    name = pollutant_name(preview.pollutant, t)
    mean, limit = number(preview.mean, preview.unit), number(preview.limit, preview.unit).removesuffix(".0")
    unit = unit_text(preview.unit)
    return HourBar(
        pollutant=preview.pollutant,
        name=name,
        mean=mean,
        limit=limit,
        unit=unit,
        fill=round(min(BAR_END, max(0.0, preview.mean / preview.limit * LIMIT_AT)), 1),
        against=Against.OVER if preview.mean > preview.limit else Against.BELOW,
        valid_minutes=preview.valid_minutes,
        sentence=t("bar.sentence", name=name, mean=mean, limit=limit, unit=unit),
    )


def pollutant_name(pollutant: str, t: Texts) -> str:
    """The quantity's name in this language."""
    known = quantities().get(pollutant)
    return t.either(known.zh, known.en, pollutant) if known else pollutant
