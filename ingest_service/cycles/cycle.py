"""One cremation: when its phases began, how it burned, what it used and what it emitted."""

from enum import StrEnum, unique

import msgspec


@unique
class FoundBy(StrEnum):
    """What told of a cremation. The names are stored: never rename one."""

    PHASE = "phase"  # the controller names the phases
    SIGNALS = "signals"  # doors, trolley, burners, temperatures, oxygen


@unique
class StartKind(StrEnum):
    """What the chambers were when the furnace was heated for a cremation. The names are stored: never rename one."""

    COLD = "cold"
    WARM = "warm"
    UNKNOWN = "unknown"  # no temperature at the start


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """One finished cremation of a furnace, `[start_ms, end_ms)` from the heating for it to the end of cooling.

    Each phase begins where its time says (ms since 1970 UTC) and ends where the next one begins; None where that was
    not seen. `case_number` names the cremation within its furnace and holds nothing of a person. Concentrations are
    mg/m3 as measured, not converted; masses are g, of the covered time only. `covered_share` is the share of the
    cremation, 0 to 1, for which the secondary chamber's temperature is known (of its oxygen where it has none). None
    is what the furnace has no signal for.
    """

    furnace_id: int
    case_number: str
    found_by: FoundBy
    start_ms: int
    charge_ms: int
    ignition_ms: int | None = None
    main_ms: int | None = None
    burnout_ms: int | None = None
    cooling_ms: int | None = None
    end_ms: int
    start_kind: StartKind = StartKind.UNKNOWN
    covered_share: float = 0.0
    chamber2_least_c: float | None = None
    chamber2_limit_c: float
    chamber2_below_s: float | None = None  # from the charge to the cooling
    co_peak: float | None = None
    co_mean: float | None = None
    co_first_hour: float | None = None  # mean of the hour that begins with the charge
    co_half_hour: float | None = None  # the highest mean of thirty minutes
    gas_m3: float | None = None
    electricity_kwh: float | None = None
    co2_kg: float | None = None  # of the gas that was used
    co2_kg_per_m3: float  # the factor with which it was reckoned
    co_g: float | None = None
    so2_g: float | None = None
    nox_g: float | None = None
    hcl_g: float | None = None
    dust_g: float | None = None

    @property
    def duration_s(self) -> float:
        """From the heating to the end of cooling, s."""
        return (self.end_ms - self.start_ms) / 1000.0
