"""The emissions of one furnace: each pollutant as measured now, and its running hour against the limit."""

from collections.abc import Mapping, Sequence

import msgspec

from ingest_service.alarms.vocabulary import Kind
from ingest_service.api.drawn import drawn_series
from ingest_service.api.page.alarm_mark import AlarmMark
from ingest_service.api.page.formats import number, unit_text
from ingest_service.api.page.hour_bar import HourBar, hour_bar, pollutant_name
from ingest_service.api.page.rendering import Page
from ingest_service.api.page.shown import Shown, shown
from ingest_service.api.page.standing import Pollution
from ingest_service.api.readings import Reading
from ingest_service.api.snapshot import running_hours
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.rulepack import Limit
from ingest_service.store.rows import FurnaceRow

EMISSIONS = ("co", "so2", "nox", "hcl", "dust")


class Emission(msgspec.Struct, frozen=True):
    """One pollutant: measured now, and the running hour against its limit.

    `ahead` says in words how the hour will end at this rate ("" while nobody can tell), `warns` that over its limit.
    """

    name: str
    measured: Shown | None
    hour: HourBar | None
    ahead: str
    warns: bool


def emissions_of(page: Page, furnace: FurnaceRow, found: Sequence[Reading], limits: Sequence[Limit]) -> list[Emission]:
    """Every pollutant that is measured or limited here, in the order of the limits."""
    hours = {str(hour.pollutant): hour for hour in running_hours(page.here, furnace.id)}
    measured = {one.series.quantity: one for one in reversed(found) if one.series.quantity in EMISSIONS}
    drawn = {one.quantity for one in drawn_series([reading.series for reading in found])}
    names = [str(limit.pollutant) for limit in limits if limit.pollutant in measured or limit.pollutant in drawn]
    names += [name for name in EMISSIONS if name in measured and name not in names]
    return [
        Emission(
            name=pollutant_name(name, page.t),
            measured=shown(measured[name], page.now_ms, page.t) if name in measured else None,
            hour=hour_bar(hours[name], page.t) if name in hours else None,
            ahead=ahead_text(hours[name], page) if name in hours else "",
            warns=name in hours and will_exceed(hours[name]),
        )
        for name in names
    ]


def pollution_of(emissions: Sequence[Emission], marked: Mapping[int, list[AlarmMark]]) -> list[Pollution]:
    """What the verdict of the hour so far is made of; a stuck value makes it doubtful."""
    found = []
    for one in emissions:
        marks = marked.get(one.measured.id, []) if one.measured else []
        doubtful = any(mark.kind == Kind.STUCK_VALUE for mark in marks)
        found.append(Pollution(one.name, one.hour, one.warns, doubtful))
    return found


def will_exceed(hour: Preview) -> bool:
    """True where the running hour is within its limit so far, but will not stay so at this rate."""
    ahead = hour.exceeds_at_ms is not None or (hour.forecast_mean is not None and hour.forecast_mean > hour.limit)
    return ahead and hour.mean is not None and hour.mean <= hour.limit


def ahead_text(hour: Preview, page: Page) -> str:
    """How the running hour will end if its rest is like the last minutes."""
    if hour.forecast_mean is None:
        return ""
    mean, unit = number(hour.forecast_mean, hour.unit), unit_text(hour.unit)
    if not will_exceed(hour):
        return page.t("compliance.forecast", mean=mean, unit=unit)
    if hour.exceeds_at_ms is None:
        return page.t("compliance.forecast_over", mean=mean, unit=unit)
    time = page.clock.at(hour.exceeds_at_ms).strftime("%H:%M")
    return page.t("compliance.exceeds_at", time=time, mean=mean, unit=unit)
