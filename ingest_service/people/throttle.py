"""How long who fails to sign in must wait, by account and by address. Pure."""

from collections.abc import Sequence

WINDOW_MS = 15 * 60_000
FREE_FAILURES = 5
FIRST_WAIT_MS = 2_000
LONGEST_WAIT_MS = 5 * 60_000
# Many people of a home share one address: it may fail more often before it waits.
FREE_FAILURES_ADDRESS = 30


def wait_ms(failures_ms: Sequence[int], now_ms: int, free: int = FREE_FAILURES) -> int:
    """How long from now no attempt is taken (ms), given the times of failures; doubles with each beyond the free ones.

    An account is never locked for good: who attacks it would lock out whom it belongs to.
    """
    recent = [at_ms for at_ms in failures_ms if now_ms - at_ms < WINDOW_MS]
    beyond = len(recent) - free
    if beyond < 0:
        return 0
    pause_ms = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(beyond, 20))
    return max(0, max(recent) + pause_ms - now_ms)
