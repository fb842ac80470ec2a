import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.anomaly.course import (
    CELLS,
    MINUTES_OF,
    NO_CELL,
    PHASE_OF,
    cells,
    fire_is_out,
    phase_minutes,
    told_phases,
)

IDLE, PREHEAT, CHARGE, IGNITION, MAIN, BURNOUT, COOLING = range(7)
NAN = float("nan")
FIRST = {name: PHASE_OF.index(name) for name in MINUTES_OF}


def found(phases: list[float]) -> list[int]:
    (row,) = cells(np.array([phases])).tolist()
    return list(row)


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        pytest.param([PREHEAT, CHARGE, CHARGE], [-1, FIRST["charge"], FIRST["charge"] + 1], id="from the first minute"),
        pytest.param([CHARGE, NAN, IGNITION], [-1, -1, FIRST["ignition"]], id="a minute of two phases has none"),
        pytest.param([MAIN, MAIN], [-1, -1], id="nothing of a phase whose beginning was not seen"),
        pytest.param(
            [IGNITION, MAIN, NAN, NAN, MAIN], [-1, FIRST["main"], -1, -1, FIRST["main"] + 3], id="a short gap counts on"
        ),
        pytest.param([IGNITION, MAIN, NAN, NAN, NAN, MAIN], [-1, FIRST["main"], *[-1] * 4], id="a long gap ends it"),
        pytest.param([PREHEAT, IDLE, COOLING], [-1, -1, -1], id="without a fire there is none"),
        pytest.param(
            [PREHEAT, *[CHARGE] * 5], [-1, *(FIRST["charge"] + at for at in (0, 1, 2, 2, 2))], id="the last one stays"
        ),
    ],
)
def test_a_minute_lies_where_its_phase_says(phases: list[float], expected: list[int]) -> None:
    assert found(phases) == expected


def test_a_minute_in_which_the_phase_changes_is_of_none() -> None:
    low, high = np.array([3.0, 3.0, NAN]), np.array([3.0, 4.0, NAN])
    assert phase_minutes(low, high).tolist() == [3.0, pytest.approx(NAN, nan_ok=True), pytest.approx(NAN, nan_ok=True)]


PHASES = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, NAN]), min_size=1, max_size=40)


@given(PHASES)
def test_a_cell_is_always_one_of_its_own_phase(phases: list[float]) -> None:
    names = {CHARGE: "charge", IGNITION: "ignition", MAIN: "main", BURNOUT: "burnout"}
    for phase, cell in zip(phases, found(phases), strict=True):
        assert cell == NO_CELL or PHASE_OF[cell] == names[int(phase)]
        assert NO_CELL <= cell < CELLS


@given(PHASES, st.integers(1, 40))
def test_what_comes_later_changes_nothing_of_what_was_before(phases: list[float], cut: int) -> None:
    assert found(phases)[:cut] == found(phases[:cut])


@given(st.lists(PHASES, min_size=1, max_size=4))
def test_furnaces_do_not_meet(rows: list[list[float]]) -> None:
    width = max(len(row) for row in rows)
    table = np.array([row + [NAN] * (width - len(row)) for row in rows])
    assert [row[: len(own)] for row, own in zip(cells(table).tolist(), rows, strict=True)] == [
        found(row) for row in rows
    ]


def test_a_cremation_whose_phases_are_known_has_the_cells_of_its_whole_minutes() -> None:
    begins = [at * 1_000 for at in (120, 210, 300, 540, 600)]
    phases = told_phases(begins, 0, 11)
    assert np.array_equal(phases, [PREHEAT, PREHEAT, CHARGE, NAN, IGNITION, *[MAIN] * 4, BURNOUT, NAN], equal_nan=True)
    assert found(phases.tolist())[2:] == [FIRST["charge"], -1, FIRST["ignition"], *range(16, 20), FIRST["burnout"], -1]


def test_of_a_phase_whose_bounds_were_not_seen_nothing_is_known() -> None:
    phases = told_phases([0, 60_000, None, 240_000, 300_000], 0, 6)
    assert np.array_equal(phases, [CHARGE, NAN, NAN, NAN, BURNOUT, NAN], equal_nan=True)


def test_the_fire_is_out_where_every_minute_is_known_and_none_burns() -> None:
    phase = np.array([[COOLING, COOLING, IDLE], [MAIN, COOLING, COOLING], [COOLING, NAN, COOLING]])
    assert fire_is_out(phase).tolist() == [True, False, False]
