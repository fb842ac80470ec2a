"""The units of limits and channels, and what each is in the unit that the service computes in."""

from enum import StrEnum, unique

import msgspec

from ingest_service.columns import Float64s
from ingest_service.emissions.normalise import MOLAR_MASS_G, MOLAR_VOLUME_L


@unique
class Pollutant(StrEnum):
    """What is judged continuously: pollutants, and what a rule limits beside them. Each is a quantity of the wire."""

    DUST = "dust"
    SO2 = "so2"
    NOX = "nox"
    CO = "co"
    HCL = "hcl"
    OPACITY = "opacity"
    CHAMBER2_TEMPERATURE = "chamber2_temperature"

    @property
    def is_concentration(self) -> bool:
        """True for what is converted to dry gas, standard state and reference oxygen before it is judged."""
        return self not in (Pollutant.OPACITY, Pollutant.CHAMBER2_TEMPERATURE)


@unique
class LimitUnit(StrEnum):
    """The units of continuous limits. Concentrations: of dry gas at standard state and reference oxygen."""

    MG_PER_M3 = "mg/m3"
    UG_PER_M3 = "ug/m3"
    PPM = "ppm"
    PERCENT = "%"
    CELSIUS = "°C"
    FAHRENHEIT = "°F"


class Scale(msgspec.Struct, frozen=True):
    """A unit in the computing unit: value * `factor` + `offset`."""

    factor: float
    offset: float = 0.0

    def inward(self, value: float) -> float:
        """A value of the unit in the computing unit."""
        return value * self.factor + self.offset

    def outward(self, value: Float64s) -> Float64s:
        """Values of the computing unit in the unit."""
        return (value - self.offset) / self.factor


@unique
class Oxide(StrEnum):
    """What nitrogen oxides are measured as where they are measured apart. Each is a quantity of the wire."""

    NO = "no"
    NO2 = "no2"


_AS_IT_IS = Scale(1.0)
_OF_ANY_CONCENTRATION = {LimitUnit.MG_PER_M3: _AS_IT_IS, LimitUnit.UG_PER_M3: Scale(1e-3)}
_GASES = {
    Pollutant.CO: MOLAR_MASS_G["co"],
    Pollutant.SO2: MOLAR_MASS_G["so2"],
    Pollutant.NOX: MOLAR_MASS_G["no2"],  # nitrogen oxides count as NO2
    Pollutant.HCL: MOLAR_MASS_G["hcl"],
}


def _of_gas(molar_mass_g: float) -> dict[LimitUnit, Scale]:
    """The units of a gas: mg/m3 = M / 22.4 * ppm."""
    return {**_OF_ANY_CONCENTRATION, LimitUnit.PPM: Scale(molar_mass_g / MOLAR_VOLUME_L)}


# The units in which a quantity can be limited or measured; the computing unit is that of the wire contract.
SCALES: dict[Pollutant | Oxide, dict[LimitUnit, Scale]] = {
    Pollutant.DUST: _OF_ANY_CONCENTRATION,
    **{gas: _of_gas(mass_g) for gas, mass_g in _GASES.items()},
    **{oxide: _of_gas(MOLAR_MASS_G[oxide]) for oxide in Oxide},
    Pollutant.OPACITY: {LimitUnit.PERCENT: _AS_IT_IS},
    Pollutant.CHAMBER2_TEMPERATURE: {
        LimitUnit.CELSIUS: _AS_IT_IS,
        LimitUnit.FAHRENHEIT: Scale(5.0 / 9.0, -160.0 / 9.0),
    },
}


def scale_of(pollutant: Pollutant | Oxide, unit: str) -> Scale | None:
    """What `unit` is in the computing unit of that quantity; None where there is no way."""
    return next((scale for known, scale in SCALES[pollutant].items() if known == unit), None)
