import numpy as np
import pytest

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.cycles.signals import QUANTITIES, Signals
from ingest_service.emissions.units import Pollutant
from ingest_service.reports.filled_mass import Chimney, filled_mass
from tests.ingest_service.reports.examples import DAY, PACK, cremation

BURNED = cremation(0)  # 75 minutes from midnight
CHIMNEY = Chimney(area_m2=0.5, barometric_pa=101_325.0, o2_is_wet=False)
DRY = {"stack_velocity": 1.0, "stack_temperature": 0.0, "stack_pressure": 0.0, "stack_moisture": 0.0}  # 1800 m3/h
HOUR_KG = 1_800.0 * 1e-6  # of 1 mg/m3


def gas(**columns: object) -> Signals:
    """An hour from midnight; what is not named is unknown."""
    table = np.full((len(QUANTITIES), 60), np.nan)
    for name, column in columns.items():
        table[QUANTITIES.index(name)] = np.broadcast_to(np.asarray(column, np.float64), 60)
    return Signals(DAY.from_ms, MINUTE_MS, table)


HALF = np.where(np.arange(60) < 30, 5.0, np.nan)


@pytest.mark.parametrize(
    ("pollutant", "columns", "minutes"),
    [
        pytest.param(Pollutant.HCL, {}, 60, id="nothing was measured"),
        pytest.param(Pollutant.HCL, {"hcl": HALF}, 30, id="what was measured is told elsewhere"),
        pytest.param(Pollutant.NOX, {"no": 5.0, "no2": HALF}, 30, id="nitrogen oxides from two channels, too"),
        pytest.param(Pollutant.NOX, {"no": 5.0}, 60, id="one of two oxides is no measurement"),
        pytest.param(Pollutant.HCL, {"flue_o2": np.where(np.arange(60) < 20, 20.5, 11.0)}, 40, id="too much air"),
        pytest.param(Pollutant.HCL, {"stack_velocity": HALF / 5}, 30, id="no flow"),
    ],
)
def test_a_mass_is_of_minutes_without_a_concentration_of_their_own(
    pollutant: Pollutant, columns: dict[str, object], minutes: int
) -> None:
    found = filled_mass(pollutant, 40.0, PACK.reference, gas(**{"flue_o2": 11.0, **DRY, **columns}), CHIMNEY, [BURNED])
    assert found.minutes == minutes
    assert found.kg == pytest.approx(40.0 * HOUR_KG * minutes / 60)


def test_the_mass_is_that_at_the_measured_oxygen() -> None:
    dry = filled_mass(Pollutant.HCL, 40.0, PACK.reference, gas(flue_o2=16.0, **DRY), CHIMNEY, [BURNED])
    assert dry.kg == pytest.approx(20.0 * HOUR_KG), "40 mg at 11 % O2 are 20 at 16 %"
    wet_gas = gas(**{"flue_o2": 8.0, **DRY, "stack_moisture": 50.0})
    wet = filled_mass(Pollutant.HCL, 40.0, PACK.reference, wet_gas, Chimney(0.5, None, True), [BURNED])
    assert wet.kg == pytest.approx(20.0 * HOUR_KG / 2), "half of the flow is dry gas, with 16 % O2"


def test_without_a_cremation_there_is_no_mass() -> None:
    assert filled_mass(Pollutant.HCL, 40.0, PACK.reference, gas(flue_o2=11.0, **DRY), CHIMNEY, []).minutes == 0
