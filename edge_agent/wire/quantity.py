"""The catalogue of quantities that have one meaning everywhere (quantities.toml)."""

import tomllib
from enum import StrEnum, unique
from functools import cache
from importlib.resources import files

import msgspec


@unique
class Concern(StrEnum):
    """What a quantity tells of: the furnace, or only how it is measured. People look at the former."""

    FURNACE = "furnace"
    MEASURING = "measuring"


class Quantity(msgspec.Struct, frozen=True):
    """A quantity's unit, its name in Chinese and English, and what it tells of."""

    unit: str
    zh: str
    en: str
    concerns: Concern = Concern.FURNACE


# The phases of one cremation as the codes of the `phase` quantity. Order is order in time.
PHASES: dict[int, str] = {
    0: "idle",
    1: "preheat",
    2: "charge",
    3: "ignition",
    4: "main",
    5: "burnout",
    6: "cooling",
}


@cache
def quantities() -> dict[str, Quantity]:
    """Every known quantity by name."""
    text = files("edge_agent.wire").joinpath("quantities.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Quantity])
