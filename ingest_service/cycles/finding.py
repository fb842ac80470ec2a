"""One cremation from the signals round its charge: its phases and its figures. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.cycle import Cycle, StartKind
from ingest_service.cycles.masses import Stack, emitted_g
from ingest_service.cycles.meters import used, used_so_far
from ingest_service.cycles.phases import Phases, phases_seen, phases_told
from ingest_service.cycles.signals import Signals

_HALF_HOUR_S = 1_800.0
_KNOWN_SHARE = 0.75  # of half an hour, for its mean to count: the share that is asked of an hour


class Terms(msgspec.Struct, frozen=True):
    """What a site settles: limit of the secondary chamber (°C), CO2 of a m3 of gas (kg), when a start is cold (°C)."""

    chamber2_limit_c: float
    co2_kg_per_m3: float
    cold_below_c: float


class Place(msgspec.Struct, frozen=True):
    """Whose cremation it is: furnace by id and name, its stack, and the zone of its case numbers."""

    furnace_id: int
    furnace: str
    zone: tzinfo
    stack: Stack


def find(signals: Signals, near_ms: int, has_next: bool, place: Place, terms: Terms) -> Cycle | None:
    """The cremation whose charge lies near a time (its minute); None while it may not have ended.

    `signals` begin at the charge before it at the earliest and end at the next one (`has_next`) at the latest. What
    the controller tells of phases goes before what the signals show.
    """
    phases = phases_told(signals, near_ms) if signals.has("phase") else None
    if phases is None and not _tells_phases(signals, near_ms):
        phases = phases_seen(signals, near_ms, has_next)
    if phases is None or phases.end_ms <= phases.charge_ms:
        return None
    return _measured(signals, phases, place, terms)


def case_number(furnace: str, charge_ms: int, zone: tzinfo) -> str:
    """Furnace, local day and minute of the charge: the same whenever it is found, and nothing of a person."""
    at = datetime.fromtimestamp(charge_ms / 1000, UTC).astimezone(zone)
    return f"{furnace}-{at:%Y%m%d-%H%M}"


def _tells_phases(signals: Signals, near_ms: int) -> bool:
    """Whether the controller told of phases when the charge was near."""
    return signals.between(near_ms - 60_000, near_ms + 180_000).has("phase")


def _measured(signals: Signals, phases: Phases, place: Place, terms: Terms) -> Cycle:
    whole = signals.between(phases.start_ms, phases.end_ms)
    burning = signals.between(phases.charge_ms, phases.cooling_ms or phases.end_ms)
    from_charge = signals.between(phases.charge_ms, phases.end_ms)
    chamber2, co = burning.of("chamber2_temperature"), from_charge.of("co")
    gas_m3 = _rounded(_used(signals, "gas_total", "gas_flow", phases), 2)
    masses = [_rounded(mass, 2) for mass in emitted_g(whole, place.stack)]
    return Cycle(
        furnace_id=place.furnace_id,
        case_number=case_number(place.furnace, phases.charge_ms, place.zone),
        **msgspec.structs.asdict(phases),
        start_kind=_start_kind(signals, phases.start_ms, terms.cold_below_c),
        covered_share=_covered(whole),
        chamber2_least_c=_figure(np.nanmin, chamber2, 1),
        chamber2_limit_c=terms.chamber2_limit_c,
        chamber2_below_s=_below_s(burning, terms.chamber2_limit_c),
        co_peak=_figure(np.nanmax, co, 2),
        co_mean=_figure(np.nanmean, co, 2),
        co_first_hour=_figure(np.nanmean, co[: from_charge.steps(HOUR_MS / 1000)], 2),
        co_half_hour=_rounded(highest_mean(co, from_charge.steps(_HALF_HOUR_S)), 2),
        gas_m3=gas_m3,
        electricity_kwh=_rounded(_used(signals, "electricity_total", "electricity_power", phases), 2),
        co2_kg=None if gas_m3 is None else round(gas_m3 * terms.co2_kg_per_m3, 2),
        co2_kg_per_m3=terms.co2_kg_per_m3,
        co_g=masses[0],
        so2_g=masses[1],
        nox_g=masses[2],
        hcl_g=masses[3],
        dust_g=masses[4],
    )


def highest_mean(column: Float64s, width: int) -> float | None:
    """The highest mean of so many steps in a row; of a shorter column its mean. None where too little is known."""
    width = min(width, len(column))
    known = np.isfinite(column)
    if not width:
        return None
    total = np.cumsum(np.concatenate([[0.0], np.where(known, column, 0.0)]))
    count = np.cumsum(np.concatenate([[0], known]))
    total, count = total[width:] - total[:-width], count[width:] - count[:-width]
    enough = count >= _KNOWN_SHARE * width
    return float((total[enough] / count[enough]).max()) if enough.any() else None


def _used(signals: Signals, total: str, rate: str, phases: Phases) -> float | None:
    return used(used_so_far(signals, total, rate), signals, phases.start_ms, phases.end_ms)


def _start_kind(signals: Signals, start_ms: int, cold_below_c: float) -> StartKind:
    """Cold where the hotter chamber is below the limit when heating begins."""
    first = signals.between(start_ms, start_ms + 60_000)
    chambers = np.concatenate([first.of("chamber1_temperature"), first.of("chamber2_temperature")])
    if not np.isfinite(chambers).any():
        return StartKind.UNKNOWN
    return StartKind.COLD if np.nanmax(chambers) < cold_below_c else StartKind.WARM


def _covered(whole: Signals) -> float:
    name = "chamber2_temperature" if whole.has("chamber2_temperature") else "flue_o2"
    return round(float(np.isfinite(whole.of(name)).mean()), 4) if len(whole) else 0.0


def _below_s(burning: Signals, limit_c: float) -> float | None:
    """How long the secondary chamber was below the limit, s."""
    chamber2 = burning.of("chamber2_temperature")
    if not np.isfinite(chamber2).any():
        return None
    return float((chamber2 < limit_c).sum() * burning.step_ms / 1000.0)


def _figure(of: Callable[[Float64s], Any], column: Float64s, decimals: int) -> float | None:
    """A figure of what is known of a column; None where nothing is."""
    if not np.isfinite(column).any():
        return None
    return round(float(of(column)), decimals)


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
