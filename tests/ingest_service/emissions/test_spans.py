import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_service.emissions import spans
from ingest_service.emissions.spans import Spans, equal_spans

VALUES = st.lists(st.one_of(st.just(math.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=80)


@given(values=VALUES, data=st.data())
@settings(deadline=None)
def test_every_stretch_is_what_a_plain_loop_makes_of_it(values: list[float], data: st.DataObject) -> None:
    stretch = st.integers(0, len(values) - 1).flatmap(lambda a: st.tuples(st.just(a), st.integers(a + 1, len(values))))
    pairs = data.draw(st.lists(stretch, min_size=1, max_size=10))
    column = np.array(values)
    asked = Spans(np.array([a for a, _ in pairs]), np.array([b for _, b in pairs]))
    known = [[one for one in values[a:b] if not math.isnan(one)] for a, b in pairs]
    assert spans.counts(np.isfinite(column), asked).tolist() == [len(part) for part in known]
    total = spans.sums(np.nan_to_num(column), asked)
    assert total == pytest.approx([math.fsum(part) for part in known], rel=1e-9, abs=1e-6)
    high, low = spans.highest(column, asked), spans.lowest(column, asked)
    assert high == pytest.approx([max(part, default=math.nan) for part in known], nan_ok=True)
    assert low == pytest.approx([min(part, default=math.nan) for part in known], nan_ok=True)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=60, max_size=60), before=st.integers(0, 90))
@settings(deadline=None)
def test_a_stretch_adds_up_to_the_same_bits_whatever_lies_around_it(values: list[float], before: int) -> None:
    alone = spans.sums(np.array(values), equal_spans(1, 60))
    around = np.concatenate([np.full(before, 0.1), values, np.full(7, 1e5)])
    assert spans.sums(around, Spans(np.array([before]), np.array([before + 60])))[0] == alone[0]


def test_no_stretches_give_no_rows() -> None:
    assert len(spans.sums(np.ones(5), equal_spans(0, 60))) == 0
