import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.emissions.rulepack import load_pack
from ingest_service.emissions.substitution import Band, Label, Substitution, substitute

RULE = Substitution(
    enabled=True,
    band=(
        Band(capture_pct=90.0, gap_hours=2, of_hours=3),
        Band(capture_pct=90.0, of_hours=6),
        Band(capture_pct=75.0, of_hours=100),
    ),
    source="a test",
    note_zh="",
    note_en="",
    clause_zh="某条",
    clause_en="a clause",
)
NAN = math.nan


def hours(*values: float, valid: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The values after `valid` hours of 1.0."""
    return np.array([*[1.0] * valid, *values])


def test_a_short_gap_takes_the_highest_of_the_last_few_valid_hours() -> None:
    found = substitute(hours(9.0, 2.0, 3.0, 4.0, NAN, 1.0, valid=20), RULE)
    assert found.value[-2] == 4.0
    assert found.label[-2] == Label.SUBSTITUTED
    assert found.of_hours[-3:].tolist() == [0, 3, 0]


def test_a_long_gap_looks_back_further() -> None:
    found = substitute(hours(9.0, 2.0, 3.0, 4.0, NAN, NAN, NAN, 1.0, valid=40), RULE)
    assert found.value[-4:-1].tolist() == [9.0, 9.0, 9.0]


def test_poor_capture_looks_back_furthest_and_still_poorer_gets_nothing() -> None:
    assert substitute(hours(NAN, NAN, 1.0, 1.0, valid=8), RULE).value[8] == 1.0
    poor = substitute(hours(NAN, NAN, NAN, NAN, valid=8), RULE)
    assert set(poor.label[8:].tolist()) == {Label.MISSING}


def test_a_gap_that_nothing_came_before_stays_missing() -> None:
    found = substitute(np.concatenate([[NAN], np.ones(30)]), RULE)
    assert (found.label[0], math.isnan(found.value[0])) == (Label.MISSING, True)


def test_what_was_substituted_is_no_ground_for_another_substitution() -> None:
    found = substitute(hours(5.0, NAN, 1.0, 1.0, 1.0, NAN, valid=40), RULE)
    assert found.value[-1] == 1.0


@given(values=st.lists(st.one_of(st.just(NAN), st.floats(0, 100)), max_size=60))
def test_measured_hours_are_never_changed(values: list[float]) -> None:
    measured = np.array(values, np.float64)
    found, valid = substitute(measured, RULE), np.isfinite(measured)
    assert np.array_equal(found.value[valid], measured[valid])
    assert set(found.label[valid].tolist()) <= {Label.MEASURED}
    assert np.array_equal(np.isnan(found.value), found.label == Label.MISSING)


@pytest.mark.parametrize("name", ["gb13801-2015-table2", "gb13801-2015-table3"])
def test_the_rule_that_nobody_has_read_ships_disabled_and_fills_nothing(name: str) -> None:
    rule = load_pack(name).substitution
    assert rule is not None
    assert not rule.enabled
    assert "not checked" in rule.source
    found = substitute(hours(1.0, NAN, valid=40), rule)
    assert found.label[-1] == Label.MISSING


def test_a_rule_is_enabled_only_with_the_clause_in_which_it_was_read() -> None:
    with pytest.raises(ValueError, match="clause_en"):
        Substitution(enabled=True, band=(), source="from memory", note_zh="", note_en="")
