"""How long lime and activated carbon were dosed while furnaces burned, from the means of their channels. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.cycles.cycle import Cycle
from ingest_service.emissions.columns import MeanColumns
from ingest_service.reports.model import DosedCremation, Dosing

REAGENTS = ("lime_dosing", "carbon_dosing")
ON_ABOVE = 0.05  # kg/h, in the mean of a minute; below it a screw stands: a choice of this product


def dosing_of(reagents: Mapping[str, MeanColumns], cremations: Sequence[Cycle]) -> tuple[DosedCremation, ...]:
    """Each cremation with what was dosed from its charge to its cooling; `reagents` are minute means by channel."""
    return tuple(
        DosedCremation(one.case_number, tuple(_dosed(name, means, one) for name, means in reagents.items()))
        for one in cremations
    )


def in_all(each: Sequence[DosedCremation]) -> tuple[Dosing, ...]:
    """What was dosed in all of them together."""
    found = [one for cremation in each for one in cremation.dosing]
    names = dict.fromkeys(one.reagent for one in found)
    return tuple(_sum(name, [one for one in found if one.reagent == name]) for name in names)


def _sum(reagent: str, parts: Sequence[Dosing]) -> Dosing:
    burning, known, on = (sum(getattr(one, name) for one in parts) for name in ("burning", "known", "on"))
    return Dosing(reagent, burning, known, on)


def _dosed(reagent: str, means: MeanColumns, cremation: Cycle) -> Dosing:
    """Minutes that begin while it burned."""
    end_ms = cremation.cooling_ms or cremation.end_ms
    own = (means.start_ms >= cremation.charge_ms) & (means.start_ms < end_ms) & np.isfinite(means.mean)
    burning = len(range(-(-cremation.charge_ms // MINUTE_MS), -(-end_ms // MINUTE_MS)))
    return Dosing(reagent, burning, int(own.sum()), int((means.mean[own] > ON_ABOVE).sum()))
