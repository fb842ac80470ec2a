"""Which cremations judging a span may need."""

from ingest_service.emissions.averages import OF_CREMATIONS, Window
from ingest_service.emissions.marks import CycleSpan, no_cycles
from ingest_service.emissions.periods import local, month_bounds, year_bounds
from ingest_service.workers.plant_record import PlantRecord
from ingest_service.workers.verdicts import Site


def cycles_for(plant: PlantRecord, site: Site, from_ms: int, to_ms: int) -> CycleSpan:
    """The cremations that a pack may have to judge with hours in `[from_ms, to_ms)`; none where no pack does."""
    limits = [limit for pack in site.book.packs for limit in pack.judged]
    if not any(limit.averaging in OF_CREMATIONS for limit in limits):
        return no_cycles()
    windows = {limit.share.of for limit in limits if limit.share}
    if windows:
        bounds = year_bounds if Window.YEAR in windows else month_bounds
        from_ms = min(from_ms, round(bounds(local(from_ms, site.zone))[0].timestamp() * 1000))
        to_ms = max(to_ms, round(bounds(local(to_ms - 1, site.zone))[1].timestamp() * 1000))
    return plant.cycles(from_ms, to_ms)
