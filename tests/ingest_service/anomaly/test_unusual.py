import numpy as np
import pytest

from ingest_service.anomaly.baseline import WIDTH
from ingest_service.anomaly.detectors import run_on_minutes
from ingest_service.anomaly.unusual import detect
from ingest_service.anomaly.window import FewMinutes, Presence, UnusualFindings

MINUTE = 60_000
NAN = float("nan")
OUT, IN = WIDTH + 1.0, WIDTH - 1.0


def window(*deviations: list[float]) -> FewMinutes:
    """Series whose minutes lie so many sigmas from a middle of 100, a sigma being 10."""
    deviation = np.array(deviations)
    low, high = np.full(deviation.shape, 100 - 10 * WIDTH), np.full(deviation.shape, 100 + 10 * WIDTH)
    cell = np.broadcast_to(np.arange(deviation.shape[1]), deviation.shape)
    start_ms = np.arange(deviation.shape[1]) * MINUTE
    return FewMinutes(
        np.arange(len(deviation), dtype=np.int32), start_ms, 100 + 10 * deviation, low, high, deviation, cell
    )


@pytest.mark.parametrize(
    ("deviation", "presence"),
    [
        pytest.param([IN, IN, IN, OUT, OUT, OUT, OUT, OUT], Presence.ANOMALOUS, id="five minutes above"),
        pytest.param([IN, IN, IN, -OUT, -OUT, -OUT, -OUT, -OUT], Presence.ANOMALOUS, id="five minutes below"),
        pytest.param(
            [OUT, OUT, OUT, NAN, OUT, OUT, NAN, NAN], Presence.ANOMALOUS, id="with minutes of no phase between"
        ),
        pytest.param(
            [IN, IN, IN, IN, OUT, OUT, OUT, OUT], Presence.UNKNOWN, id="four minutes leave things as they are"
        ),
        pytest.param([IN, IN, IN, OUT, OUT, -OUT, OUT, OUT], Presence.UNKNOWN, id="now above, now below"),
        pytest.param([OUT, OUT, OUT, IN, IN, IN, IN, IN], Presence.NORMAL, id="five minutes inside"),
        pytest.param([OUT] * 5 + [NAN] * 3, Presence.UNKNOWN, id="no fire any more, or no data"),
        pytest.param([OUT] * 4 + [NAN] * 4, Presence.UNKNOWN, id="too few minutes are known"),
        pytest.param([NAN] * 8, Presence.UNKNOWN, id="nothing is expected"),
        pytest.param([IN, IN, IN, WIDTH, WIDTH, WIDTH, WIDTH, WIDTH], Presence.NORMAL, id="on the bound"),
    ],
)
def test_it_is_unusual_when_minutes_in_a_row_lie_outside_on_one_side(
    deviation: list[float], presence: Presence
) -> None:
    assert detect(window(deviation)).presence.tolist() == [presence]


def test_it_tells_since_when_by_how_much_and_what_was_expected() -> None:
    found = detect(window([IN] * 3 + [-5.0, -6.0, -7.0, -8.0, -9.0], [IN] * 8))
    assert isinstance(found, UnusualFindings)
    assert found.presence.tolist() == [Presence.ANOMALOUS, Presence.NORMAL]
    assert (found.since_ms[0], found.score[0], found.threshold[0]) == (3 * MINUTE, 7.0, WIDTH)
    assert (found.value[0], found.low[0], found.high[0], found.cell[0]) == (10.0, 60.0, 140.0, 7)


def test_a_window_too_short_to_tell_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 5 minutes"):
        detect(window([OUT] * 4))


def test_every_detector_of_minutes_is_run() -> None:
    assert [one.detector for one in run_on_minutes(window([OUT] * 5))] == ["unusual"]
