import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.emissions.marks import STATES, Marks, PlantState, marked_minutes, no_marks
from ingest_service.emissions.vocabulary import MarkedState
from tests.ingest_service.emissions.gas import ids

START = 500_000 * HOUR_MS
EVERY = frozenset(PlantState)


def marked(*rows: tuple[int, int, int, PlantState]) -> Marks:
    return Marks(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def test_every_minute_that_a_mark_touches_is_marked() -> None:
    mark = marked((7, START + 2 * MINUTE_MS + 30_000, START + 4 * MINUTE_MS + 1, PlantState.CALIBRATION))
    found = marked_minutes(mark, ids(7), ids(START), EVERY)
    assert np.flatnonzero(found[0]).tolist() == [2, 3, 4]


def test_a_mark_reaches_over_hours_but_not_to_other_furnaces() -> None:
    mark = marked((7, START + 59 * MINUTE_MS, START + 61 * MINUTE_MS, PlantState.FAULT))
    found = marked_minutes(mark, ids(7, 7, 8), ids(START, START + HOUR_MS, START), EVERY)
    assert [np.flatnonzero(row).tolist() for row in found] == [[59], [0], []]


def test_only_the_states_that_a_rule_leaves_out_count() -> None:
    mark = marked((7, START, START + HOUR_MS, PlantState.MAINTENANCE))
    assert not marked_minutes(mark, ids(7), ids(START), frozenset({PlantState.CALIBRATION})).any()
    assert marked_minutes(mark, ids(7), ids(START), frozenset({PlantState.MAINTENANCE})).all()


def test_without_marks_nothing_is_marked() -> None:
    assert not marked_minutes(no_marks(), ids(7), ids(START), EVERY).any()


def test_rule_packs_and_marks_use_the_same_words() -> None:
    assert set(STATES) == set(MarkedState)
