import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.emissions import flow, normalise


def column(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(values, np.float64)


def test_ten_metres_a_second_through_half_a_square_metre_are_18000_cubic_metres_an_hour() -> None:
    assert flow.stack_flow_m3_per_h(column(10.0), 0.5)[0] == pytest.approx(18_000.0)


@pytest.mark.parametrize(
    ("temperature_c", "static_pa", "moisture_pct", "expected"),
    [
        pytest.param(0.0, 0.0, 0.0, 1000.0, id="dry gas at standard state stays as it is"),
        pytest.param(273.0, 0.0, 0.0, 500.0, id="twice as hot is half as much"),
        pytest.param(0.0, -50_662.5, 0.0, 500.0, id="half the pressure is half as much"),
        pytest.param(136.5, 0.0, 10.0, 600.0, id="hot and wet"),
    ],
)
def test_flow_is_taken_to_dry_gas_at_standard_state(
    temperature_c: float, static_pa: float, moisture_pct: float, expected: float
) -> None:
    got = flow.standard_dry_flow_m3_per_h(
        column(1000.0), column(temperature_c), column(static_pa), 101_325.0, column(moisture_pct)
    )
    assert got[0] == pytest.approx(expected)


@pytest.mark.parametrize("moisture_pct", [100.0, -1.0, np.nan])
def test_an_impossible_moisture_gives_no_flow(moisture_pct: float) -> None:
    got = flow.standard_dry_flow_m3_per_h(column(1.0), column(0.0), column(0.0), 101_325.0, column(moisture_pct))
    assert np.isnan(got[0])


def test_50_mg_in_2000_cubic_metres_an_hour_are_100_grams_an_hour() -> None:
    assert flow.mass_rate_kg_per_h(column(50.0), column(2000.0))[0] == pytest.approx(0.1)


def test_what_is_unknown_adds_no_mass() -> None:
    assert flow.emitted_kg(column(0.2, np.nan, 0.4), column(1.0, 1.0, 0.5)) == pytest.approx(0.4)


@given(c=st.floats(0.1, 1e3), t=st.floats(0, 400), x=st.floats(0, 60), q=st.floats(1, 1e5))
def test_mass_is_the_same_in_stack_gas_and_in_standard_gas(c: float, t: float, x: float, q: float) -> None:
    standard_flow = flow.standard_dry_flow_m3_per_h(column(q), column(t), column(0.0), 101_325.0, column(x))
    standard_c = normalise.wet_to_dry(normalise.standard_state(column(c), column(t), column(0.0), 101_325.0), column(x))
    assert flow.mass_rate_kg_per_h(standard_c, standard_flow)[0] == pytest.approx(c * q * 1e-6, rel=1e-9)
