import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.emissions.rounding import decimals, half_even


@pytest.mark.parametrize(
    ("value", "resolution", "expected"),
    [
        pytest.param(30.5, 1.0, 30.0, id="a tie goes to the even figure below"),
        pytest.param(31.5, 1.0, 32.0, id="a tie goes to the even figure above"),
        pytest.param(30.51, 1.0, 31.0, id="more than half goes up"),
        pytest.param(0.25, 0.1, 0.2, id="a tie of tenths"),
        pytest.param(0.35, 0.1, 0.4, id="a tie that binary figures cannot write"),
        pytest.param(2.675, 0.01, 2.68, id="a tie of hundredths"),
        pytest.param(-30.5, 1.0, -30.0, id="below zero too"),
    ],
)
def test_a_tie_is_rounded_to_the_even_figure(value: float, resolution: float, expected: float) -> None:
    assert half_even(np.array([value]), resolution)[0] == expected


def test_no_value_stays_no_value() -> None:
    assert np.isnan(half_even(np.array([np.nan]), 0.1))[0]


@given(value=st.floats(-1e5, 1e5), resolution=st.sampled_from([5.0, 1.0, 0.5, 0.1, 0.01]))
def test_rounding_moves_a_value_by_at_most_half_a_step_and_only_once(value: float, resolution: float) -> None:
    rounded = half_even(np.array([value]), resolution)
    assert abs(rounded[0] - value) <= resolution / 2 + 1e-6
    assert half_even(rounded, resolution)[0] == rounded[0]


@pytest.mark.parametrize(("resolution", "expected"), [(1.0, 0), (5.0, 0), (0.1, 1), (0.25, 2), (0.05, 2)])
def test_a_resolution_needs_so_many_decimals(resolution: float, expected: int) -> None:
    assert decimals(resolution) == expected
