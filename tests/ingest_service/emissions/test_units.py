import numpy as np
import pytest

from edge_agent.wire.quantity import quantities
from ingest_service.emissions.units import SCALES, Pollutant, scale_of


@pytest.mark.parametrize(
    ("pollutant", "unit", "value", "expected"),
    [
        (Pollutant.CO, "ppm", 22.4, 28.0),
        (Pollutant.NOX, "ppm", 22.4, 46.0),
        (Pollutant.SO2, "ppm", 22.4, 64.0),
        (Pollutant.HCL, "ppm", 22.4, 36.5),
        (Pollutant.SO2, "ug/m3", 1500.0, 1.5),
        (Pollutant.CHAMBER2_TEMPERATURE, "°F", 1600.0, 871.1111),
        (Pollutant.CHAMBER2_TEMPERATURE, "°C", 850.0, 850.0),
        (Pollutant.OPACITY, "%", 10.0, 10.0),
    ],
)
def test_a_unit_is_converted_and_back(pollutant: Pollutant, unit: str, value: float, expected: float) -> None:
    scale = scale_of(pollutant, unit)
    assert scale is not None
    assert scale.inward(value) == pytest.approx(expected, abs=1e-4)
    assert scale.outward(np.array([scale.inward(value)]))[0] == pytest.approx(value)


@pytest.mark.parametrize(
    ("pollutant", "unit"),
    [(Pollutant.DUST, "ppm"), (Pollutant.CO, "%"), (Pollutant.OPACITY, "mg/m3"), (Pollutant.CO, "")],
)
def test_a_unit_of_something_else_has_no_scale(pollutant: Pollutant, unit: str) -> None:
    assert scale_of(pollutant, unit) is None


@pytest.mark.parametrize("pollutant", Pollutant)
def test_the_computing_unit_is_that_of_the_wire_contract(pollutant: Pollutant) -> None:
    scale = scale_of(pollutant, quantities()[pollutant].unit)
    assert scale is not None
    assert (scale.factor, scale.offset) == (1.0, 0.0)
    assert pollutant in SCALES
