"""The table of how long reagents were dosed while furnaces burned, in one language. Pure."""

from ingest_service.reports.cells import Sheet
from ingest_service.reports.dosing import ON_ABOVE, in_all
from ingest_service.reports.model import Report
from ingest_service.reports.telling import Telling, share

COLUMNS = "furnace reagent burning known_minutes dosing_minutes dosing_share"


def dosing_sheet(report: Report, tell: Telling) -> Sheet:
    """A row a furnace and reagent that has a channel."""
    rows = tuple(
        (
            tell.furnace(part.furnace),
            tell.pollutant(one.reagent),
            one.burning,
            one.known,
            one.on,
            share(one.on_pct),
        )
        for part in report.furnaces
        for one in in_all(part.dosed)
    )
    return Sheet(
        key="dosing",
        title=tell.words("report.dosing"),
        columns=tell.columns(COLUMNS),
        rows=rows,
        nil=tell.words("report.nil_dosing"),
        note=tell.words("report.dosing_note", above=ON_ABOVE) if rows else "",
    )
