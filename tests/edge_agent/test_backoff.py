import pytest

from edge_agent.backoff import backoff_ms


@pytest.mark.parametrize(
    ("failures", "draw", "pause_ms"),
    [
        pytest.param(1, 0.5, 1_000, id="a second after the first failure"),
        pytest.param(3, 0.5, 4_000, id="doubling"),
        pytest.param(6, 0.5, 30_000, id="half a minute at most"),
        pytest.param(10_000, 0.5, 30_000, id="after years, too"),
        pytest.param(1, 0.0, 800, id="a fifth less"),
        pytest.param(1, 1.0, 1_200, id="a fifth more"),
    ],
)
def test_a_failing_device_is_left_alone_for_longer_and_longer(failures: int, draw: float, pause_ms: int) -> None:
    assert backoff_ms(failures, draw) == pause_ms
