"""Which quantities are held against what a furnace usually shows, and how finely. Data."""

from enum import StrEnum, unique
from math import inf

import msgspec
import numpy as np

from ingest_service.columns import Float64s


@unique
class Scale(StrEnum):
    """In what a quantity varies evenly. The names are stored: never rename one."""

    LINEAR = "linear"
    LOG = "log"  # what varies by a factor, as concentrations from near zero to hundreds do

    def of(self, value: Float64s) -> Float64s:
        """Values on this scale."""
        return np.log(np.maximum(value, 0.0) + LOG_OFFSET) if self is Scale.LOG else value

    def back(self, scaled: Float64s) -> Float64s:
        """Values of that place on the scale."""
        return np.exp(scaled) - LOG_OFFSET if self is Scale.LOG else scaled


LOG_OFFSET = 5.0  # mg/m3: below it an analyser's own noise is most of what it shows


class Watched(msgspec.Struct, frozen=True):
    """A quantity in its catalogue unit. `floor` and `widest` are robust sigmas; on a logarithmic scale, shares.

    `floor` is the least that is ever assumed: what a good sensor and the process scatter by, though a few cremations
    were alike. Where it is more than `widest` a band would say nothing, and there is none: as of carbon monoxide while
    the coffin catches fire. `least` and `most` are what is possible. `reason` says why the quantity is watched.
    """

    scale: Scale
    floor: float
    widest: float
    reason: str
    least: float = 0.0
    most: float = inf

    def bound(self, scaled: Float64s) -> Float64s:
        """A bound at that place on the scale, in the quantity's unit."""
        return np.clip(self.scale.back(scaled), self.least, self.most)


# Left out on purpose: what a controller holds at a setpoint or an operator sets (fans, dosing), what ages by itself
# (the filter's pressure drop), and what limits judge already and the charge alone decides (SO2, HCl, dust).
WATCHED: dict[str, Watched] = {
    "chamber1_temperature": Watched(
        Scale.LINEAR, 8.0, 60.0, "a weak burner, a door that leaks, a thermocouple that ages"
    ),
    "chamber2_temperature": Watched(
        Scale.LINEAR, 6.0, 50.0, "decides how gas burns out: the first sign of a weak burner"
    ),
    "stack_temperature": Watched(Scale.LINEAR, 5.0, 40.0, "cooler that fouls, air that leaks in before the stack"),
    "filter_inlet_temperature": Watched(Scale.LINEAR, 3.0, 25.0, "too hot burns bags, too cold wets them"),
    "chamber_draught": Watched(
        Scale.LINEAR, 1.5, 12.0, "fan, damper or duct; a chamber without suction lets gas out", -inf
    ),
    "flue_o2": Watched(
        Scale.LINEAR, 0.3, 2.5, "air that leaks in or is missing; every conversion depends on it", 0.0, 21.0
    ),
    "co": Watched(Scale.LOG, 0.15, 0.5, "burnout; varies by a factor from one cremation to the next"),
}
QUANTITIES = tuple(WATCHED)
