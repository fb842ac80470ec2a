"""Units as lists write them, and the factor from one to the unit of a quantity."""

from decimal import Decimal

from edge_agent.devices.register_list.cells import unified
from edge_agent.devices.register_list.vocabulary import by_word, vocabulary

MOLAR_VOLUME_L = Decimal("22.414")  # of an ideal gas at 273.15 K and 101.325 kPa, the state that limits refer to
_MOLAR_MASS_G = {
    "co": Decimal("28.01"),
    "so2": Decimal("64.06"),
    "nox": Decimal("46.01"),  # as NO2
    "no": Decimal("30.01"),
    "no2": Decimal("46.01"),
    "hcl": Decimal("36.46"),
}
_BY_SPELLING = by_word(vocabulary().units)
_FACTORS = {
    ("kpa", "Pa"): Decimal(1000),
    ("mpa", "Pa"): Decimal(1_000_000),
    ("hpa", "Pa"): Decimal(100),
    ("mbar", "Pa"): Decimal(100),
    ("bar", "Pa"): Decimal(100_000),
    ("mmh2o", "Pa"): Decimal("9.80665"),
    ("w", "kW"): Decimal("0.001"),
    ("wh", "kWh"): Decimal("0.001"),
    ("mwh", "kWh"): Decimal(1000),
    ("g/m3", "mg/m3"): Decimal(1000),
    ("g/nm3", "mg/m3"): Decimal(1000),
    ("ug/m3", "mg/m3"): Decimal("0.001"),
    ("μg/m3", "mg/m3"): Decimal("0.001"),
    ("g/h", "kg/h"): Decimal("0.001"),
    ("ma", "A"): Decimal("0.001"),
}


def plain_unit(text: str) -> str:
    """The usual spelling of a unit, or the text itself."""
    return _BY_SPELLING.get(unified(text), text.strip())


def factor_to(text: str, unit: str, quantity: str) -> Decimal | None:
    """What a value in the unit of `text` is multiplied by to be in `unit`; None where they do not go together."""
    plain = plain_unit(text)
    if plain == unit:
        return Decimal(1)
    if plain == "ppm" and unit == "mg/m3" and quantity in _MOLAR_MASS_G:
        return round(_MOLAR_MASS_G[quantity] / MOLAR_VOLUME_L, 5)
    return _FACTORS.get((unified(text), unit))
