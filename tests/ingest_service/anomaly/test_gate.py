import numpy as np
import pytest

from ingest_service.anomaly.baseline import SHAPE, WIDTH, Baseline, HeldBack
from ingest_service.anomaly.course import CELLS, NO_CELL
from ingest_service.anomaly.gate import FEWEST_MINUTES, held_back, well_known
from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.columns import Float64s, Int64s

T2, O2 = QUANTITIES.index("chamber2_temperature"), QUANTITIES.index("flue_o2")
BASELINE = Baseline(np.zeros(SHAPE), np.ones(SHAPE))
CELL = np.arange(CELLS)


def deviating(quantity: int, *, beyond: list[int], cell: Int64s = CELL) -> Float64s:
    """A cremation of which some minutes of a quantity lie outside."""
    value = np.zeros((len(QUANTITIES), len(cell)))
    value[quantity, beyond] = WIDTH + 1.0
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(deviating(T2, beyond=[]), HeldBack.NOTHING, id="as usual"),
        pytest.param(deviating(T2, beyond=[20, 21, 22, 23, 24]), HeldBack.UNUSUAL, id="five minutes outside"),
        pytest.param(deviating(O2, beyond=[20, 21, 22, 23]), HeldBack.NOTHING, id="four minutes outside"),
        pytest.param(deviating(T2, beyond=list(range(0, 80, 2))), HeldBack.NOTHING, id="never two in a row"),
        pytest.param(np.full((len(QUANTITIES), CELLS), np.nan), HeldBack.BAD_DATA, id="nothing known"),
    ],
)
def test_a_cremation_is_held_back_that_would_have_been_told_as_unusual(value: Float64s, expected: HeldBack) -> None:
    value[QUANTITIES.index("co")] = np.nan  # its scale is another
    assert held_back(CELL, value, BASELINE) is expected


def test_without_a_baseline_nothing_is_unusual() -> None:
    nothing = Baseline(np.full(SHAPE, np.nan), np.full(SHAPE, np.nan))
    assert held_back(CELL, deviating(T2, beyond=list(range(CELLS))), nothing) is HeldBack.NOTHING


def test_a_quantity_with_too_many_gaps_teaches_nothing_and_the_others_do() -> None:
    value = np.ones((len(QUANTITIES), CELLS))
    value[T2, : CELLS // 4 + 1] = np.nan
    value[O2, : CELLS // 4] = np.nan
    kept = well_known(CELL, value)
    assert np.isnan(kept[T2]).all()
    assert np.isfinite(kept[O2]).sum() == CELLS - CELLS // 4


def test_a_cremation_whose_phases_are_hardly_known_teaches_nothing() -> None:
    cell = np.full(CELLS, NO_CELL)
    cell[: FEWEST_MINUTES - 1] = CELL[: FEWEST_MINUTES - 1]
    assert held_back(cell, well_known(cell, np.ones((len(QUANTITIES), CELLS))), BASELINE) is HeldBack.BAD_DATA
