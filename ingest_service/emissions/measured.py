"""What furnaces' channels show of one pollutant, and how two oxides measured apart become one. Pure."""

from collections.abc import Callable

import msgspec
import numpy as np

from ingest_service.columns import Bools, Int64s
from ingest_service.emissions.limits import Basis, Signal
from ingest_service.emissions.normalise import nox_as_no2
from ingest_service.emissions.units import Oxide, Pollutant


class Measured(msgspec.Struct, frozen=True):
    """A row per furnace and stretch: `signal` in the computing unit, `basis` codes, and where the unit was known."""

    signal: Signal
    basis: Int64s
    unit_known: Bools

    def with_no2(self, no2: "Measured") -> "Measured":
        """Nitrogen oxides as NO2 of NO (this one) and NO2; a row has them where both refer to gas of one basis."""
        present = self.signal.present & no2.signal.present
        minutes = nox_as_no2(self.signal.minutes, no2.signal.minutes)
        basis = np.where(self.basis == no2.basis, self.basis, int(Basis.UNKNOWN))
        return Measured(Signal(minutes, present), basis, self.unit_known & no2.unit_known)

    def filled_with(self, other: "Measured") -> "Measured":
        """These rows, and the other's where these have no channel and those have."""
        taken = ~self.signal.present & other.signal.present
        minutes = np.where(taken[:, None], other.signal.minutes, self.signal.minutes)
        return Measured(
            Signal(minutes, self.signal.present | taken),
            np.where(taken, other.basis, self.basis),
            np.where(taken, other.unit_known, self.unit_known),
        )


def measured(pollutant: Pollutant, of: Callable[[Pollutant | Oxide], Measured]) -> Measured:
    """What channels (`of` reads them) show of a pollutant; of nitrogen oxides the sum where they are measured apart."""
    found = of(pollutant)
    if pollutant is not Pollutant.NOX or found.signal.present.all():
        return found
    return found.filled_with(of(Oxide.NO).with_no2(of(Oxide.NO2)))
