import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.wire.quantity import quantities
from ingest_service.anomaly import stuck
from ingest_service.anomaly.runs import runs_of
from ingest_service.anomaly.window import NOT_BURNING, Findings, Presence, Window

NOW = 1_700_000_000_000
CO = 4
Row = tuple[int, int, float]


def window(rows: list[Row], *, stuck_after_s: float = 60.0, burning_since_ms: int = NOW - 600_000) -> Window:
    """Rows of (series, seconds before now, value); one watched series, CO."""
    ordered = sorted((series, NOW - ago_s * 1000, value) for series, ago_s, value in rows)
    watched = np.array([CO], np.int32)
    return Window(
        series=watched,
        runs=runs_of(
            np.array([row[0] for row in ordered], np.int32),
            np.array([row[1] for row in ordered], np.int64),
            np.array([row[2] for row in ordered], np.float64),
            watched,
        ),
        stuck_after_ms=np.array([round(stuck_after_s * 1000)], np.int64),
        burning_since_ms=np.array([burning_since_ms], np.int64),
        from_ms=NOW - 180_000,
        now_ms=NOW,
    )


def standing(from_s: int, to_s: int, value: float = 12.5) -> list[Row]:
    """A sample every ten seconds, all equal."""
    return [(CO, ago_s, value) for ago_s in range(from_s, to_s - 1, -10)]


def presence(findings: Findings) -> Presence:
    return Presence(findings.presence[0])


def test_a_value_that_stands_for_a_minute_while_burning_is_stuck() -> None:
    found = stuck.detect(window([(CO, 80, 13.0), *standing(70, 0)]))
    assert presence(found) is Presence.ANOMALOUS
    assert found.since_ms[0] == NOW - 70_000
    assert (found.score[0], found.threshold[0], found.value[0]) == (70.0, 60.0, 12.5)


def test_a_value_that_moved_is_normal() -> None:
    assert presence(stuck.detect(window([*standing(90, 20), (CO, 10, 12.6)]))) is Presence.NORMAL


@pytest.mark.parametrize(
    "given_window",
    [
        pytest.param(window(standing(50, 0)), id="too short to tell"),
        pytest.param(window(standing(90, 0), burning_since_ms=NOT_BURNING), id="the furnace does not burn"),
        pytest.param(window(standing(90, 0), burning_since_ms=NOW - 30_000), id="it has burnt for too short a time"),
        pytest.param(window(standing(90, 0), stuck_after_s=0.0), id="a quantity that may stand still"),
        pytest.param(window(standing(90, 0, value=0.0)), id="an analyser at the end of its range"),
        pytest.param(window([(CO, 90, 12.5), (CO, 0, 12.5)]), id="too few samples"),
        pytest.param(window(standing(150, 40)), id="nothing has come for a while"),
        pytest.param(window([*standing(90, 10), (CO, 0, math.nan)]), id="bad quality"),
        pytest.param(window([(9, 5, 1.0)]), id="no sample of the series"),
        pytest.param(window([]), id="no sample at all"),
    ],
)
def test_nothing_is_said_of(given_window: Window) -> None:
    assert presence(stuck.detect(given_window)) is Presence.UNKNOWN


def test_a_bad_sample_breaks_the_run() -> None:
    rows = [*standing(120, 50), (CO, 45, math.nan), *standing(40, 0)]
    assert presence(stuck.detect(window(rows))) is not Presence.ANOMALOUS


def test_series_do_not_run_into_each_other() -> None:
    neighbours = [(CO - 1, ago_s, 12.5) for ago_s in range(150, 100, -10)]
    assert presence(stuck.detect(window([*neighbours, *standing(50, 0)]))) is Presence.UNKNOWN


@given(values=st.lists(st.floats(0.1, 500.0), min_size=4, max_size=18))
@settings(deadline=None)
def test_a_series_is_stuck_exactly_when_its_newest_run_lasts_a_minute(values: list[float]) -> None:
    rows = [(CO, 10 * (len(values) - 1 - number), value) for number, value in enumerate(values)]
    run = 1
    while run < len(values) and values[-run - 1] == values[-1]:
        run += 1
    expected = (run - 1) * 10 >= 60
    assert (presence(stuck.detect(window(rows))) is Presence.ANOMALOUS) == expected


def test_only_known_quantities_are_watched_and_no_states_setpoints_or_totals() -> None:
    assert set(stuck.STUCK_AFTER_S) <= set(quantities())
    assert not [name for name in stuck.STUCK_AFTER_S if name.endswith(("_on", "_open", "_total", "_modulation"))]
    assert "phase" not in stuck.STUCK_AFTER_S
