import numpy as np
import pytest

from ingest_service.anomaly.burning import burning_since_ms
from ingest_service.anomaly.window import NOT_BURNING

IDLE, PREHEAT, CHARGE, MAIN, BURNOUT, COOLING = 0.0, 1.0, 2.0, 4.0, 5.0, 6.0


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param([MAIN, MAIN, BURNOUT], 0, id="all the time"),
        pytest.param([PREHEAT, CHARGE, MAIN], 1, id="since the charge"),
        pytest.param([MAIN, COOLING, CHARGE], 2, id="since the second charge"),
        pytest.param([MAIN, np.nan, MAIN], 2, id="since the phase is known again"),
        pytest.param([MAIN, BURNOUT, COOLING], NOT_BURNING, id="no longer"),
        pytest.param([IDLE], NOT_BURNING, id="not at all"),
        pytest.param([MAIN, np.nan], NOT_BURNING, id="the phase is not known now"),
        pytest.param([], NOT_BURNING, id="no phase signal"),
    ],
)
def test_a_furnace_burns_since(codes: list[float], expected: int) -> None:
    assert burning_since_ms(np.arange(len(codes), dtype=np.int64), np.array(codes, np.float64)) == expected
