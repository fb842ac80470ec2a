"""What counters and phases say of how a furnace was operated. Pure."""

from collections.abc import Sequence

from ingest_service.cycles.cycle import Cycle
from ingest_service.emissions.columns import MeanColumns
from ingest_service.reports.model import Mass

EMITTED = ("dust", "so2", "nox", "co", "hcl")


def used(means: MeanColumns, from_ms: int) -> float | None:
    """What a counter (means of one series, sorted) rose by from `from_ms` on; a reset begins anew at 0.

    Periods before `from_ms` tell where the counter stood. None where none from then on has a value.
    """
    total, stood, known = 0.0, None, False
    for start_ms, low, high in zip(means.start_ms.tolist(), means.low.tolist(), means.high.tolist(), strict=True):
        if not low <= high:  # NaN: nothing was valid
            continue
        if start_ms >= from_ms:
            known = True
            total += _rise(low if stood is None else stood, high)
        stood = high
    return total if known else None


def operating_minutes(minutes: MeanColumns) -> int:
    """Minutes (means of the phase code of one furnace) in which it was in another phase than idle."""
    return int(((minutes.high > 0) & (minutes.covered > 0)).sum())


def _rise(stood: float, high: float) -> float:
    return high - stood if high >= stood else high


def masses_of(cremations: Sequence[Cycle]) -> tuple[Mass, ...]:
    """What cremations emitted in all, of every pollutant of which any has a figure."""
    found = []
    for pollutant in EMITTED:
        grams = [getattr(cycle, f"{pollutant}_g") for cycle in cremations]
        known = [one for one in grams if one is not None]
        if known:
            found.append(Mass(pollutant, sum(known) / 1000.0, len(known)))
    return tuple(found)
