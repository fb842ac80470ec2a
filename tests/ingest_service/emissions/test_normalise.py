import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.emissions import normalise
from ingest_service.emissions.units import Oxide, scale_of


def column(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(values, np.float64)


@pytest.mark.parametrize(
    ("c", "o2_pct", "base_pct", "expected"),
    [
        pytest.param(40.0, 13.0, 21.0, 50.0, id="40 mg at 13 % is 50 at 11 %"),
        pytest.param(12.3, 13.0, 21.0, 15.375, id="12.3 mg at 13 % is 15.375 at 11 %"),
        pytest.param(40.0, 8.0, 21.0, 30.769, id="40 mg at 8 % is 30.769 at 11 %"),
        pytest.param(40.0, 17.0, 21.0, 100.0, id="40 mg at 17 % is 100 at 11 %"),
        pytest.param(40.0, 20.0, 21.0, 400.0, id="40 mg at 20 % is 400 at 11 %"),
        pytest.param(40.0, 13.0, 20.9, 50.127, id="40 mg at 13 % is 50.127 on the 20.9 % base"),
        pytest.param(40.0, 11.0, 21.0, 40.0, id="at reference oxygen nothing changes"),
    ],
)
def test_a_concentration_is_converted_to_11_percent_oxygen(
    c: float, o2_pct: float, base_pct: float, expected: float
) -> None:
    converted = normalise.to_reference_oxygen(column(c), column(o2_pct), 11.0, base_pct)
    assert converted[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("o2_pct", [20.01, 20.9, 21.0, 25.0])
def test_near_the_oxygen_of_air_no_value_is_formed(o2_pct: float) -> None:
    assert np.isnan(normalise.to_reference_oxygen(column(40.0), column(o2_pct), 11.0)[0])
    assert normalise.too_much_air(column(o2_pct), 20.0)[0]


def test_unknown_oxygen_gives_no_value_and_is_not_called_too_much_air() -> None:
    assert np.isnan(normalise.to_reference_oxygen(column(40.0), column(np.nan), 11.0)[0])
    assert not normalise.too_much_air(column(np.nan), 20.0)[0]


@given(c=st.floats(0, 1e4), o2=st.floats(0, 20), other=st.floats(0, 20))
def test_converting_there_and_back_changes_nothing(c: float, o2: float, other: float) -> None:
    there = normalise.to_reference_oxygen(column(c), column(o2), other)
    back = normalise.to_reference_oxygen(there, column(other), o2)
    assert back[0] == pytest.approx(c, rel=1e-9)


@pytest.mark.parametrize(
    ("no", "no2", "expected"),
    [
        pytest.param(30.0, 0.0, 46.0, id="30 mg of NO are 46 mg as NO2"),
        pytest.param(100.0, 20.0, 173.333, id="100 mg of NO and 20 mg of NO2 are 173.3 mg"),
        pytest.param(0.0, 12.5, 12.5, id="NO2 stays as it is"),
    ],
)
def test_nitrogen_oxides_count_as_nitrogen_dioxide(no: float, no2: float, expected: float) -> None:
    assert normalise.nox_as_no2(column(no), column(no2))[0] == pytest.approx(expected, abs=5e-4)


def test_parts_per_million_of_the_two_oxides_add_up() -> None:
    assert normalise.nox_as_no2_of_ppm(column(50.0), column(10.0))[0] == pytest.approx(123.214, abs=5e-4)
    assert np.isnan(normalise.nox_as_no2(column(50.0), column(np.nan))[0]), "half of it is not known"


@given(no_ppm=st.floats(0, 1e3), no2_ppm=st.floats(0, 1e3))
def test_the_two_ways_to_nitrogen_oxides_agree(no_ppm: float, no2_ppm: float) -> None:
    no, no2 = (scale_of(oxide, "ppm") for oxide in (Oxide.NO, Oxide.NO2))
    assert no is not None
    assert no2 is not None
    by_mass = normalise.nox_as_no2(column(no.inward(no_ppm)), column(no2.inward(no2_ppm)))
    assert by_mass[0] == pytest.approx(normalise.nox_as_no2_of_ppm(column(no_ppm), column(no2_ppm))[0], rel=1e-9)


@pytest.mark.parametrize(
    ("moisture_pct", "expected"),
    [
        pytest.param(0.0, 30.0, id="dry gas stays as it is"),
        pytest.param(20.0, 37.5, id="30 mg in gas with 20 % moisture are 37.5 dry"),
        pytest.param(50.0, 60.0, id="half water doubles"),
    ],
)
def test_wet_gas_is_taken_as_dry(moisture_pct: float, expected: float) -> None:
    assert normalise.wet_to_dry(column(30.0), column(moisture_pct))[0] == pytest.approx(expected)


@pytest.mark.parametrize("moisture_pct", [-0.1, 100.0, 140.0, np.nan])
def test_an_impossible_moisture_gives_no_value(moisture_pct: float) -> None:
    assert np.isnan(normalise.wet_to_dry(column(30.0), column(moisture_pct))[0])


@pytest.mark.parametrize(
    ("temperature_c", "static_pa", "barometric_pa", "expected"),
    [
        pytest.param(0.0, 0.0, 101_325.0, 10.0, id="standard state stays as it is"),
        pytest.param(273.0, 0.0, 101_325.0, 20.0, id="twice as hot holds half as much"),
        pytest.param(136.5, -100.0, 101_425.0, 15.0, id="static pressure adds to the barometer's"),
        pytest.param(0.0, 0.0, 50_662.5, 20.0, id="half the pressure holds half as much"),
    ],
)
def test_stack_gas_is_taken_to_standard_state(
    temperature_c: float, static_pa: float, barometric_pa: float, expected: float
) -> None:
    got = normalise.standard_state(column(10.0), column(temperature_c), column(static_pa), barometric_pa)
    assert got[0] == pytest.approx(expected)
