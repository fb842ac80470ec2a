"""Runs that are kept up to date are those that the samples show."""

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.quantity import PHASES
from edge_agent.wire.sample import Reason
from ingest_service.anomaly.runs import NEVER_MS, Runs, RunTally, runs_of
from ingest_service.anomaly.standing import NO_SERIES, StandingValues
from ingest_service.anomaly.window import NOT_BURNING
from ingest_service.store.batch import SampleBatch

NOW = 1_764_000_000_000
WATCHED = np.array([2, 7, 3_000], np.int32)
MAIN = float(next(code for code, name in PHASES.items() if name == "main"))

Sample = tuple[int, int, float, int]  # series, ms after NOW, value, reason


def batch(samples: list[Sample]) -> SampleBatch:
    columns = [[sample[at] for sample in samples] for at in range(4)]
    return SampleBatch(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int64) + NOW,
        np.array(columns[2], np.float64),
        np.array(columns[3], np.uint8),
    )


def listed(runs: Runs) -> list[list[object]]:
    return [[str(one) for one in column] for column in msgspec.structs.astuple(runs)]


samples = st.tuples(
    st.sampled_from([*WATCHED.tolist(), 5]),
    st.integers(0, 60),
    st.sampled_from([1.0, 2.0]),
    st.sampled_from([Reason.GOOD, Reason.GOOD, Reason.TIMEOUT]),
)


@given(st.lists(samples, max_size=40, unique_by=lambda sample: sample[:2]), st.integers(1, 9))
def test_however_samples_are_batched(made: list[Sample], at_once: int) -> None:
    ordered = sorted(made, key=lambda sample: sample[1])
    tally = RunTally()
    tally.watch(WATCHED)
    for at in range(0, len(ordered), at_once):
        tally.add(batch(ordered[at : at + at_once][::-1]))
    whole = batch(sorted(made))
    real = np.where(whole.reason == Reason.GOOD, whole.value, np.nan)
    assert listed(tally.runs(WATCHED)) == listed(runs_of(whole.series, whole.measured_at_ms, real, WATCHED))


def test_late_samples_and_series_that_nobody_watches_are_not_heeded() -> None:
    tally = RunTally()
    tally.watch(WATCHED[:1])
    tally.add(batch([(2, 10, 1.0, 0), (5, 10, 1.0, 0)]))
    tally.add(batch([(2, 9, 3.0, 0), (2, 10, 4.0, 0)]))
    found = tally.runs(np.array([2, 5, 90_000], np.int32))
    assert found.value[0] == 1.0
    assert found.count.tolist() == [1, 0, 0]
    assert found.last_ms.tolist() == [NOW + 10, NEVER_MS, NEVER_MS]


def test_a_furnace_burns_through_its_burning_phases_whatever_their_order() -> None:
    standing, phases = StandingValues(), np.array([7, NO_SERIES, 2], np.int64)
    standing.watch(WATCHED[:0], phases)
    burning = [code for code, name in PHASES.items() if name in ("charge", "ignition", "main", "burnout")]
    standing.add(batch([(7, 0, 0.0, 0), *((7, 10 + at, float(code), 0) for at, code in enumerate(burning))]))
    standing.add(batch([(2, 0, MAIN, 0), (2, 5, MAIN, Reason.TIMEOUT)]))
    assert standing.burning_since_ms(phases).tolist() == [NOW + 10, NOT_BURNING, NOT_BURNING]
