"""Reads the newest minutes of the secondary chambers and advises whether each furnace may be charged."""

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Float64s
from ingest_service.emissions.charging import WINDOW_MINUTES, ChargeAdvice, Minimum, advise, minimum_of
from ingest_service.emissions.units import Pollutant
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.verdicts import Site


def charge_advice(
    store: TimeSeriesStore, channels: Channels, site: Site, until_ms: int, covered_share: float = 0.75
) -> tuple[ChargeAdvice, ...]:
    """The advice for every furnace for which a minimum is asked, from minutes that ended by `until_ms`."""
    found = []
    known: dict[tuple[str, ...], Minimum | None] = {}  # furnaces of one kind share their packs
    minutes = _newest_minutes(store, channels, until_ms, covered_share)
    for furnace in channels.furnaces.tolist():
        place = channels.of_furnace(furnace)
        packs = site.book.of(place.home_id, place.furnace)
        key = tuple(pack.key for pack in packs)
        if key not in known:
            held = tuple(pack for pack in packs if site.holds(pack, until_ms))
            known[key] = minimum_of(held, site.charge_at_least_c)
        minimum = known[key]
        if minimum is None:
            continue
        advice, mean_c = advise(minutes.get(furnace, np.empty(0)), minimum.least_c)
        said = (minimum.least_c, minimum.rule, minimum.clause_zh, minimum.clause_en)
        found.append(ChargeAdvice(furnace, until_ms, advice, mean_c, *said))
    return tuple(found)


def _newest_minutes(
    store: TimeSeriesStore, channels: Channels, until_ms: int, covered_share: float
) -> dict[int, Float64s]:
    """The valid minute means of each furnace's secondary chamber, °C."""
    furnaces = channels.furnaces
    series = channels.series_of(Pollutant.CHAMBER2_TEMPERATURE, furnaces)
    known = {int(one): int(furnace) for one, furnace in zip(series, furnaces, strict=True) if one != NO_ID}
    if not known:
        return {}
    means = store.means(MINUTE_MS, list(known), until_ms - WINDOW_MINUTES * MINUTE_MS, until_ms)
    valid = means.covered >= np.float32(covered_share)
    kept, own = means.mean[valid], means.series[valid]  # sorted by series
    ids, begin = np.unique(own, return_index=True)
    parts = np.split(kept, begin[1:]) if len(ids) else []
    return {known[int(one)]: part for one, part in zip(ids, parts, strict=True)}
