"""Where a tally calls a minute exact, it says what the means of the stored samples say."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.durations import MINUTE_MS
from edge_agent.wire.sample import Reason
from ingest_service.emissions.averaging import minute_means
from ingest_service.emissions.minute_tally import MinuteTally, Tallied
from ingest_service.store.batch import SampleBatch

MINUTE = 29_400_000
START = MINUTE * MINUTE_MS
SERIES = np.array([3, 5, 2_000], np.int32)
HOLDS = np.array([16_000, 61_000, 150_000], np.int64)

Sample = tuple[int, int, float, int]  # series, ms since START, value, reason


def batch(samples: Sequence[Sample]) -> SampleBatch:
    columns = [[sample[at] for sample in samples] for at in range(4)]
    return SampleBatch(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int64) + START,
        np.array(columns[2], np.float64),
        np.array(columns[3], np.uint8),
    )


def regular(series: int, from_s: int, to_s: int, every_s: int = 1) -> list[Sample]:
    return [(series, at_s * 1000, float(at_s % 7), Reason.GOOD) for at_s in range(from_s, to_s, every_s)]


def learned() -> MinuteTally:
    tally = MinuteTally()
    tally.learn(SERIES, HOLDS)
    return tally


def add(tally: MinuteTally, samples: Sequence[Sample], now_s: float | None = None) -> None:
    newest_ms = max((at_ms for _, at_ms, _, _ in samples), default=0)
    tally.add(batch(samples), START + (newest_ms if now_s is None else round(now_s * 1000)))


def second_by_second(tally: MinuteTally, from_s: int, to_s: int, *series: int) -> None:
    for second in range(from_s, to_s):
        add(tally, [sample for one in series for sample in regular(one, second, second + 1)])


def agrees(found: Tallied, stored: Sequence[Sample], minute: int) -> None:
    """What is exact equals the means of what was stored; of two samples at one time the first was."""
    first = {(series, at_ms): (series, at_ms, value, reason) for series, at_ms, value, reason in reversed(stored)}
    samples = batch(list(first.values()))
    expected = minute_means(samples, SERIES, HOLDS, minute * MINUTE_MS, (minute + 1) * MINUTE_MS)
    for name in ("series", "start_ms", "mean", "low", "high", "covered"):
        left, right = getattr(found.means, name)[found.exact], getattr(expected, name)[found.exact]
        np.testing.assert_allclose(left, right, rtol=1e-6 if name == "covered" else 1e-12, err_msg=name)


offsets_ms = st.integers(0, 5 * 60).map(lambda s: s * 1000) | st.integers(0, 300_000)
samples = st.tuples(
    st.sampled_from(SERIES.tolist()), offsets_ms, st.floats(-1e3, 1e3), st.sampled_from([0, 0, 0, 1, Reason.TIMEOUT])
)


@given(st.lists(st.lists(samples, max_size=12), max_size=6), st.integers(0, 6), st.integers(0, 300))
def test_whatever_comes_in_whatever_order(batches: list[list[Sample]], lost: int, now_s: int) -> None:
    tally, stored = learned(), list[Sample]()
    for number, made in enumerate(batches):
        add(tally, made, now_s)
        if number == lost:
            tally.forget(batch(made).series)
        else:
            stored += made
        for minute in range(MINUTE, MINUTE + 6):
            agrees(tally.minute(minute, SERIES), stored, minute)


@given(st.lists(samples, max_size=40), st.integers(1, 9))
def test_whatever_comes_in_order_of_time(made: list[Sample], at_once: int) -> None:
    tally = learned()
    ordered = sorted(made, key=lambda sample: sample[1])
    for at in range(0, len(ordered), at_once):
        add(tally, ordered[at : at + at_once])
    for minute in range(MINUTE, MINUTE + 6):
        agrees(tally.minute(minute, SERIES), ordered, minute)


def test_a_live_stream_is_exact_from_its_second_minute_on() -> None:
    tally = learned()
    sent = [sample for series in SERIES.tolist() for sample in regular(series, 30, 150)]
    for second in range(30, 150):
        add(tally, [sample for sample in sent if sample[1] == second * 1000])
    assert [tally.minute(MINUTE + at, SERIES).exact.all() for at in range(4)] == [False, True, True, False]
    agrees(tally.minute(MINUTE + 1, SERIES), sent, MINUTE + 1)
    assert tally.minute(MINUTE + 1, SERIES).means.covered.tolist() == [1.0, 1.0, 1.0]


def test_the_last_value_holds_into_a_minute_without_samples_of_its_own() -> None:
    tally = learned()
    first = [sample for series in SERIES.tolist() for sample in regular(series, 0, 1)]
    rest = regular(3, 1, 118) + regular(5, 1, 118) + regular(2_000, 1, 125)
    add(tally, first)
    add(tally, rest)
    sent = first + rest
    found = tally.minute(MINUTE + 2, SERIES)
    assert found.exact.all()
    agrees(found, sent, MINUTE + 2)
    assert found.means.covered.tolist() == np.array([13 / 60, 58 / 60, 1.0], np.float32).tolist()


def test_something_late_spoils_its_series_until_the_next_minute_and_no_other() -> None:
    tally = learned()
    second_by_second(tally, 0, 100, 3, 5)
    add(tally, [(3, 70_000 + 1, 9.0, 0)], 100)
    second_by_second(tally, 100, 190, 3, 5)
    asked = np.array([3, 5], np.int32)
    assert tally.minute(MINUTE + 1, asked).exact.tolist() == [False, True]
    assert tally.minute(MINUTE + 2, asked).exact.tolist() == [True, True]


def test_an_edge_whose_clock_is_ahead_does_not_take_the_room_of_the_others() -> None:
    tally = learned()
    for second in range(0, 190):
        add(tally, [(3, second * 1000, 1.0, 0), (5, second * 1000 + 480_000, 2.0, 0)], second)
    assert tally.minute(MINUTE + 2, SERIES[:2]).exact.tolist() == [True, False]
    assert not tally.minute(MINUTE + 9, SERIES).exact.any()


def test_what_is_not_known_to_hold_is_never_exact_until_it_is() -> None:
    tally = MinuteTally()
    second_by_second(tally, 0, 70, 3)
    assert not tally.minute(MINUTE + 1, SERIES).exact.any()
    tally.learn(SERIES, HOLDS)
    second_by_second(tally, 70, 190, 3)
    assert tally.minute(MINUTE + 1, SERIES).exact.tolist() == [False, False, False]
    assert tally.minute(MINUTE + 2, SERIES).exact.tolist() == [True, False, False]
