import math

import numpy as np
import pytest

from ingest_service.emissions.charging import Advice, advise, minimum_of
from ingest_service.emissions.rulepack import load_pack
from tests.ingest_service.emissions.gas import PACK

GERMANY, NEW_YORK = load_pack("de-27-bimschv"), load_pack("us-ny-6nycrr-219-4")


@pytest.mark.parametrize(
    ("minutes", "advice", "mean"),
    [
        pytest.param([860.0] * 10, Advice.MAY_CHARGE, 860.0, id="hot enough"),
        pytest.param([850.0] * 10, Advice.MAY_CHARGE, 850.0, id="exactly hot enough"),
        pytest.param([860.0] * 5 + [830.0] * 5, Advice.DO_NOT_CHARGE, 845.0, id="too cold"),
        pytest.param([860.0] * 8 + [math.nan] * 2, Advice.MAY_CHARGE, 860.0, id="eight minutes are enough"),
        pytest.param([900.0] * 7 + [math.nan] * 3, Advice.UNKNOWN, None, id="seven are not"),
        pytest.param([], Advice.UNKNOWN, None, id="no channel"),
    ],
)
def test_advice_follows_from_the_newest_minutes(minutes: list[float], advice: Advice, mean: float | None) -> None:
    assert advise(np.array(minutes), 850.0) == (advice, mean)


def test_the_highest_minimum_counts_and_names_its_clause() -> None:
    found = minimum_of((GERMANY, NEW_YORK), 800.0)
    assert found is not None
    assert found.least_c == pytest.approx(871.11, abs=0.01)
    assert found.rule == "us-ny-6nycrr-219-4@1"
    german = minimum_of((GERMANY,), None)
    assert german is not None
    assert "section 3 (3)" in german.clause_en


def test_the_site_may_ask_for_more_than_its_law_which_may_ask_for_nothing() -> None:
    assert minimum_of((PACK,), None) is None
    found = minimum_of((PACK,), 820.0)
    assert found is not None
    assert (found.least_c, found.rule) == (820.0, "site")
