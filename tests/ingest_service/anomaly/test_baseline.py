import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.wire.quantity import quantities
from ingest_service.anomaly.baseline import (
    FEWEST,
    LESSONS,
    SHAPE,
    WIDTH,
    HeldBack,
    learn,
    lesson,
    on_scale,
    teaching,
)
from ingest_service.anomaly.course import CELLS, NO_CELL, PHASE_OF
from ingest_service.anomaly.watched import LOG_OFFSET, QUANTITIES, WATCHED
from ingest_service.columns import Float64s

O2, CO, T2 = (QUANTITIES.index(name) for name in ("flue_o2", "co", "chamber2_temperature"))
MAIN = PHASE_OF.index("main")
OK, UNUSUAL, MARKED, BAD = HeldBack.NOTHING, HeldBack.UNUSUAL, HeldBack.MARKED, HeldBack.BAD_DATA


def lessons(count: int, seed: int = 1) -> Float64s:
    """Cremations of one furnace, each a little off the others; on the scales of the quantities."""
    rng = np.random.default_rng(seed)
    usual = np.array([900.0, 920.0, 180.0, 140.0, -40.0, 9.0, 30.0])[:, None]
    apart = np.array([15.0, 12.0, 6.0, 4.0, 3.0, 0.5, 4.0])[:, None]
    whole = usual + apart * (rng.normal(size=(count, len(QUANTITIES), 1)) + 0.5 * rng.normal(size=(count, *SHAPE)))
    return on_scale(np.abs(whole) * np.sign(usual))


def in_units(scaled: Float64s) -> Float64s:
    return np.stack([one.scale.back(scaled[..., at, :]) for at, one in enumerate(WATCHED.values())], axis=-2)


def bounds(table: Float64s) -> tuple[Float64s, Float64s]:
    found = learn(table).at(np.arange(CELLS))
    return found.low, found.high


@pytest.mark.parametrize(("name", "one"), WATCHED.items(), ids=list(WATCHED))
def test_every_quantity_is_known_and_says_why_it_is_watched(name: str, one: object) -> None:
    assert name in quantities()
    assert 0 < WATCHED[name].floor < WATCHED[name].widest / 1.5, "else few lessons alike could not teach"
    assert WATCHED[name].reason


def test_with_fewer_cremations_than_needed_nothing_is_expected() -> None:
    assert np.isnan(bounds(lessons(FEWEST - 1))).all()
    assert np.isfinite(bounds(lessons(FEWEST))).all()


def test_a_cell_that_too_few_cremations_reached_expects_nothing() -> None:
    table = lessons(12)
    table[: 12 - FEWEST + 1, :, CELLS - 1] = np.nan
    low, high = bounds(table)
    assert np.isnan(low[:, CELLS - 1]).all()
    assert np.isfinite(high[:, : CELLS - 1]).all()


def test_a_usual_cremation_lies_inside_and_a_faulty_one_outside() -> None:
    low, high = bounds(lessons(30))
    usual = in_units(lessons(31)[30])
    assert ((usual > low) & (usual < high)).mean() > 0.999
    faulty = usual.copy()
    faulty[T2], faulty[O2], faulty[CO] = faulty[T2] - 80.0, faulty[O2] + 6.0, faulty[CO] * 8.0
    assert (faulty[T2] < low[T2]).mean() > 0.9
    assert (faulty[O2] > high[O2]).mean() > 0.9
    assert (faulty[CO] > high[CO]).mean() > 0.9


def test_cremations_that_were_all_alike_leave_room_for_a_sensors_noise() -> None:
    low, high = bounds(np.repeat(lessons(1), FEWEST, axis=0))
    width = (high - low)[:, MAIN] / 2
    floor = np.array([one.floor for one in WATCHED.values()])
    linear = np.arange(len(QUANTITIES)) != CO
    assert width[linear] == pytest.approx(WIDTH * 1.5 * floor[linear])


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_of_what_scatters_too_much_nothing_is_expected(quantity: str) -> None:
    table, at = lessons(30), QUANTITIES.index(quantity)
    table[:, at, MAIN] += 8.0 * WATCHED[quantity].widest * np.random.default_rng(2).normal(size=30)
    low, high = bounds(table)
    assert np.isnan([low[at, MAIN], high[at, MAIN]]).all()
    assert np.isfinite(low[at, MAIN + 1 :]).all()


def test_few_lessons_know_less_than_many() -> None:
    few, many = lessons(30)[:10], np.concatenate([lessons(30)[:10]] * 3)
    assert (learn(few).sigma > learn(many).sigma).all()


@settings(max_examples=30)
@given(st.permutations(range(14)), st.integers(0, 1_000))
def test_the_order_of_cremations_does_not_matter(order: list[int], seed: int) -> None:
    table = lessons(14, seed)
    assert np.array_equal(learn(table).sigma, learn(table[order]).sigma, equal_nan=True)


@settings(max_examples=30)
@given(st.integers(0, 1_000), st.integers(1, 4))
def test_a_few_faulty_cremations_move_the_middle_no_further_than_the_usual_ones_reach(seed: int, faulty: int) -> None:
    table = lessons(20, seed)
    spoilt = table.copy()
    spoilt[:faulty] = 10_000.0
    middle = learn(spoilt).middle[T2]
    known = np.isfinite(middle)
    assert known.any()
    assert (middle[known] <= table[:, T2].max(axis=0)[known]).all()
    assert (middle[known] >= table[:, T2].min(axis=0)[known]).all()


@settings(max_examples=20)
@given(st.integers(2, 5), st.integers(0, 1_000))
def test_furnaces_learn_apart(furnaces: int, seed: int) -> None:
    tables = np.stack([lessons(10, seed + at) for at in range(furnaces)])
    together = learn(tables)
    for at, own in enumerate(tables):
        assert np.array_equal(together.middle[at], learn(own).middle, equal_nan=True)
        assert np.array_equal(together.sigma[at], learn(own).sigma, equal_nan=True)


def test_a_lesson_is_the_mean_of_the_minutes_of_each_cell() -> None:
    cell = np.array([NO_CELL, MAIN, CELLS - 1, CELLS - 1, CELLS - 1, MAIN + 1])
    value = np.tile([1.0, 2.0, 3.0, 4.0, np.nan, np.nan], (len(QUANTITIES), 1))
    found = lesson(cell, value)
    assert found.shape == SHAPE
    assert (found[O2, MAIN], found[O2, CELLS - 1]) == (2.0, 3.5)
    assert found[CO, MAIN] == pytest.approx(np.log(2.0 + LOG_OFFSET), rel=1e-3)
    assert np.isfinite(found).sum() == 2 * len(QUANTITIES)


@pytest.mark.parametrize(
    ("held_back", "expected_places"),
    [
        pytest.param([OK] * 3, [0, 1, 2], id="all"),
        pytest.param([OK] * (LESSONS + 5), list(range(5, LESSONS + 5)), id="the newest of many"),
        pytest.param([OK, MARKED, BAD, UNUSUAL, OK], [0, 4], id="not what is held back"),
        pytest.param([OK, *[UNUSUAL] * (FEWEST - 1), OK], [0, FEWEST], id="not a few unusual ones"),
        pytest.param([OK, OK, *[UNUSUAL] * FEWEST], list(range(2, 2 + FEWEST)), id="but a furnace that has changed"),
        pytest.param(
            [OK, *[UNUSUAL] * 4, MARKED, *[UNUSUAL] * 4, OK],
            [1, 2, 3, 4, 6, 7, 8, 9, 10],
            id="whatever was marked between",
        ),
    ],
)
def test_of_a_furnaces_cremations_those_teach_that_nothing_holds_back(
    held_back: list[HeldBack], expected_places: list[int]
) -> None:
    assert teaching(held_back) == expected_places


def test_no_bound_is_impossible() -> None:
    low, high = bounds(lessons(9) * np.where(np.arange(len(QUANTITIES)) == CO, 1.0, 0.05)[:, None])
    assert (low[[O2, CO, T2]] >= 0).all()
    assert (low[QUANTITIES.index("chamber_draught")] < 0).all()
    assert (high > low).all()
    full = lessons(9)
    full[:, O2] = 20.5
    assert (bounds(full)[1][O2] == 21.0).all()
