"""How long to leave a failing device alone (pure)."""

FIRST_MS, MOST_MS = 1_000, 30_000
JITTER = 0.2


def backoff_ms(failures: int, draw: float) -> int:
    """The pause after that many failures in a row: 1 s doubling to 30 s, give or take 20 % by `draw` (0 to 1)."""
    pause_ms = min(MOST_MS, FIRST_MS << min(failures - 1, 10))
    return round(pause_ms * (1 - JITTER + 2 * JITTER * draw))
