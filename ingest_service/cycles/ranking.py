"""How sparing each furnace is: what a cremation costs it, against its own best and against the fleet. Pure."""

from collections.abc import Sequence
from statistics import median

import msgspec

from edge_agent.wire.durations import DAY_MS
from ingest_service.cycles.cycle import Cycle, StartKind
from ingest_service.cycles.energy import HourUse, avoidable


class FurnaceUse(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one furnace in some time: its cremations and its hours. `home_id` says with whom it plans."""

    furnace_id: int
    home_id: str
    cycles: tuple[Cycle, ...]
    hours: tuple[HourUse, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One furnace in the ranking; figures a cremation are means. None is what its meters do not tell.

    `gas_all_m3` is all gas of the time divided by the cremations, idle hours included: it orders the ranking.
    `place` counts from 1; None without a cremation or a gas meter.
    """

    furnace_id: int
    home_id: str
    place: int | None
    cremations: int
    gas_all_m3: float | None
    gas_m3: float | None
    gas_best_m3: float | None
    gas_over_best_pct: float | None
    gas_over_fleet_pct: float | None
    electricity_kwh: float | None
    electricity_best_kwh: float | None
    co2_kg: float | None
    idle_gas_m3: float | None
    idle_electricity_kwh: float | None
    hot_idle_h: float
    cold_starts: int
    avoidable_cold_starts: int


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """The furnaces, most sparing first, and the fleet: the median gas and electricity of a cremation, and the best."""

    standings: tuple[Standing, ...]
    fleet_gas_m3: float | None
    fleet_gas_best_m3: float | None
    fleet_electricity_kwh: float | None
    fleet_co2_kg: float | None


def rank(uses: Sequence[FurnaceUse], day_of_ms: int = 0) -> Ranking:
    """The ranking of some furnaces; `day_of_ms` is how far local midnight lies from UTC's (ms east)."""
    cycles = [cycle for use in uses for cycle in use.cycles]
    gas = _known([cycle.gas_m3 for cycle in cycles])
    fleet = median(gas) if gas else None
    spared = _avoidable(uses, day_of_ms)
    rows = sorted((_standing(use, fleet, spared) for use in uses), key=_order)
    places = iter(range(1, len(rows) + 1))
    placed = [msgspec.structs.replace(row, place=next(places)) if row.gas_all_m3 is not None else row for row in rows]
    power = _known([cycle.electricity_kwh for cycle in cycles])
    co2 = _known([cycle.co2_kg for cycle in cycles])
    return Ranking(
        standings=tuple(placed),
        fleet_gas_m3=_rounded(fleet),
        fleet_gas_best_m3=min(gas, default=None),
        fleet_electricity_kwh=_rounded(median(power) if power else None),
        fleet_co2_kg=_rounded(median(co2) if co2 else None),
    )


def _order(row: Standing) -> tuple[bool, float, int]:
    return row.gas_all_m3 is None, row.gas_all_m3 or 0.0, row.furnace_id


def _avoidable(uses: Sequence[FurnaceUse], day_of_ms: int) -> set[tuple[int, str]]:
    """Furnace and case number of every cold start that was not needed, judged home by home and day by day."""
    days: dict[tuple[str, int], list[Cycle]] = {}
    for use in uses:
        for cycle in use.cycles:
            days.setdefault((use.home_id, (cycle.charge_ms + day_of_ms) // DAY_MS), []).append(cycle)
    named = ((cycles, avoidable(cycles)) for cycles in days.values())
    return {(one.furnace_id, one.case_number) for cycles, cases in named for one in cycles if one.case_number in cases}


def _standing(use: FurnaceUse, fleet_gas_m3: float | None, spared: set[tuple[int, str]]) -> Standing:
    gas, power = _known([one.gas_m3 for one in use.cycles]), _known([one.electricity_kwh for one in use.cycles])
    mean_gas, best = _mean(gas), min(gas, default=None)
    idle = _idle([(hour.gas_m3, hour.gas_in_cycles_m3) for hour in use.hours])
    used = None if mean_gas is None else mean_gas + (idle or 0.0) / len(use.cycles)
    return Standing(
        furnace_id=use.furnace_id,
        home_id=use.home_id,
        place=None,
        cremations=len(use.cycles),
        gas_all_m3=_rounded(used),
        gas_m3=_rounded(mean_gas),
        gas_best_m3=best,
        gas_over_best_pct=_beyond(mean_gas, best),
        gas_over_fleet_pct=_beyond(mean_gas, fleet_gas_m3),
        electricity_kwh=_rounded(_mean(power)),
        electricity_best_kwh=min(power, default=None),
        co2_kg=_rounded(_mean(_known([one.co2_kg for one in use.cycles]))),
        idle_gas_m3=_rounded(idle),
        idle_electricity_kwh=_rounded(
            _idle([(hour.electricity_kwh, hour.electricity_in_cycles_kwh) for hour in use.hours])
        ),
        hot_idle_h=round(sum(hour.hot_idle_s for hour in use.hours) / 3600.0, 2),
        cold_starts=sum(one.start_kind is StartKind.COLD for one in use.cycles),
        avoidable_cold_starts=sum((one.furnace_id, one.case_number) in spared for one in use.cycles),
    )


def _idle(hours: Sequence[tuple[float | None, float | None]]) -> float | None:
    """What was used outside of cremations."""
    known = [whole - burned for whole, burned in hours if whole is not None and burned is not None]
    return sum(known) if known else None


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _beyond(value: float | None, base: float | None) -> float | None:
    """How far a value is above another, %."""
    return None if value is None or not base else round((value / base - 1.0) * 100.0, 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
