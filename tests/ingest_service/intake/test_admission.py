import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.data import Columns
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import FIRST_BAD, Reason
from ingest_service.intake.admission import EARLIEST_MS, Rejection, admit, judge
from ingest_service.intake.device_map import DeviceMap
from ingest_service.intake.gathering import Candidates, Gathering, Purpose
from ingest_service.intake.session import EdgeSession

NOW_MS = 1_764_000_000_000
MINUTE_MS = 60_000
KNOWN = DeviceMap(3, "plc", {10: 1, 11: 2, "co": 1}, {10: DataType.DOUBLE}, 1, np.array([1, 2], np.int32))

Sample = tuple[int | str, int, float, int]  # key, time, value, reason


def gathered(*messages: list[Sample]) -> Gathering:
    session = EdgeSession("east", "edge-1", edge_id=9)
    session.epoch = 77
    gathering = Gathering()
    for block, samples in enumerate(messages, 1):
        keys, times, values, reasons = (list(column) for column in zip(*samples, strict=True)) if samples else [[]] * 4
        gathering.add(session, KNOWN, Columns(keys, times, values, reasons, []), block, Purpose.LIVE)
    return gathering


def one(at_ms: int = NOW_MS, value: float = 1.0, reason: int = Reason.GOOD, series: int = 1) -> Candidates:
    return Candidates(np.array([series], np.int32), np.array([at_ms]), np.array([value]), np.array([reason], np.uint8))


@pytest.mark.parametrize(
    ("sample", "rejection"),
    [
        pytest.param(one(), Rejection.NONE, id="an ordinary sample is admitted"),
        pytest.param(one(NOW_MS + 10 * MINUTE_MS), Rejection.NONE, id="ten minutes ahead is admitted"),
        pytest.param(one(NOW_MS + 10 * MINUTE_MS + 1), Rejection.FAR_FUTURE, id="more than ten minutes ahead is not"),
        pytest.param(one(EARLIEST_MS), Rejection.NONE, id="2020 is admitted"),
        pytest.param(one(EARLIEST_MS - 1), Rejection.TOO_OLD, id="before 2020 is not"),
        pytest.param(one(0), Rejection.TOO_OLD, id="1970 is not"),
        pytest.param(one(value=math.nan), Rejection.NOT_A_NUMBER, id="NaN that calls itself good is not"),
        pytest.param(
            one(value=math.nan, reason=31), Rejection.NOT_A_NUMBER, id="NaN that calls itself uncertain is not"
        ),
        pytest.param(one(value=math.nan, reason=Reason.TIMEOUT), Rejection.NONE, id="a bad sample has no value"),
        pytest.param(one(value=math.inf), Rejection.INFINITE, id="infinity is not"),
        pytest.param(one(value=-math.inf, reason=Reason.UNCERTAIN), Rejection.INFINITE, id="minus infinity is not"),
        pytest.param(one(series=-1), Rejection.UNKNOWN_TAG, id="an unknown tag is not"),
        pytest.param(one(0, math.inf, series=-1), Rejection.UNKNOWN_TAG, id="the gravest reason is named"),
    ],
)
def test_each_sample_is_admitted_or_rejected_with_a_reason(sample: Candidates, rejection: Rejection) -> None:
    assert judge(sample, NOW_MS).tolist() == [rejection]


def test_samples_older_than_ten_years_are_rejected() -> None:
    in_2040_ms = 2_208_988_800_000
    assert judge(one(NOW_MS), in_2040_ms).tolist() == [Rejection.TOO_OLD]


def test_the_rest_of_a_message_is_admitted_and_each_message_keeps_its_rows() -> None:
    gathering = gathered(
        [(10, NOW_MS, 1.0, 0), (10, NOW_MS + 10**9, 2.0, 0), (11, NOW_MS + 1, 3.0, 0)],
        [(99, NOW_MS, 4.0, 0)],
        [("co", NOW_MS + 2, 5.0, 0)],
    )
    admission = admit(gathering.candidates(), gathering.origins, NOW_MS)
    assert admission.samples.value.tolist() == [1.0, 3.0, 5.0]
    assert admission.samples.series.tolist() == [1, 2, 1]
    assert admission.bounds.tolist() == [0, 2, 2, 3]
    assert [span.tolist() for span in admission.span_ms()] == [[NOW_MS, 0, NOW_MS + 2], [NOW_MS + 1, 0, NOW_MS + 2]]
    assert [(one.origin, one.rejection, one.count) for one in admission.rejected] == [
        (0, Rejection.FAR_FUTURE, 1),
        (1, Rejection.UNKNOWN_TAG, 1),
    ]


def test_a_bad_sample_never_carries_a_number() -> None:
    gathering = gathered([(10, NOW_MS, 5.0, Reason.WIRE_BREAK), (11, NOW_MS, 6.0, Reason.CLOCK_STEPPED)])
    admission = admit(gathering.candidates(), gathering.origins, NOW_MS)
    assert np.isnan(admission.samples.value).tolist() == [True, False]
    assert admission.samples.reason.tolist() == [Reason.WIRE_BREAK, Reason.CLOCK_STEPPED]


def test_a_time_that_no_signed_number_holds_is_far_in_the_future() -> None:
    gathering = gathered([(10, 2**64 - 1, 5.0, 0)])
    admission = admit(gathering.candidates(), gathering.origins, NOW_MS)
    assert [one.rejection for one in admission.rejected] == [Rejection.FAR_FUTURE]


def test_no_message_at_all_is_no_trouble() -> None:
    admission = admit(Gathering().candidates(), [], NOW_MS)
    assert admission.bounds.tolist() == [0]
    assert len(admission.samples) == 0


def test_an_edge_without_epoch_numbers_no_blocks() -> None:
    gathering = Gathering()
    session = EdgeSession("west", "other-make", edge_id=4)
    gathering.add(session, KNOWN, Columns([10], [NOW_MS], [1.0], [0], []), 5, Purpose.LIVE)
    assert (gathering.origins[0].epoch, gathering.origins[0].block) == (0, 0)


values = st.one_of(st.floats(width=64), st.sampled_from([math.nan, math.inf]))
samples = st.tuples(
    st.sampled_from([10, 11, 99, "co", "x"]),
    st.integers(0, 2 * NOW_MS),
    values,
    st.sampled_from([int(reason) for reason in Reason]),
)


@given(st.lists(st.lists(samples, max_size=4), max_size=4))
def test_every_sample_is_either_admitted_or_counted_as_rejected(messages: list[list[Sample]]) -> None:
    gathering = gathered(*messages)
    admission = admit(gathering.candidates(), gathering.origins, NOW_MS)
    total = sum(len(message) for message in messages)
    assert len(admission.samples) + sum(one.count for one in admission.rejected) == total
    assert admission.bounds[-1] == len(admission.samples)
    good = admission.samples.reason < FIRST_BAD
    assert np.isfinite(admission.samples.value[good]).all()
    assert np.isnan(admission.samples.value[~good]).all()
    assert (admission.samples.series > 0).all()
