"""Scenes that measure time, or in which what takes too long is given up, on a machine that has other things to do.

Nothing is shown by a scene during which the machine stood still: timeouts ended what was about to be answered.
"""

import asyncio
from collections.abc import Callable, Coroutine

ATTEMPTS = 12
_LOOK_S, _HELD_UP_S = 0.005, 0.03

Scene = Callable[[], Coroutine[None, None, None]]


def in_pace(scene: Scene, attempts: int = ATTEMPTS) -> None:
    """Play a scene; one that failed is played again where its event loop was held up meanwhile."""
    for attempt in range(1, attempts + 1):
        failure, held_up_s = asyncio.run(_played(scene))
        if failure is None:
            return
        if held_up_s < _HELD_UP_S or attempt == attempts:
            raise failure


async def _played(scene: Scene) -> tuple[BaseException | None, float]:
    """What the scene failed with, and by how much the event loop came late at worst (s)."""
    loop, worst_s = asyncio.get_running_loop(), 0.0
    playing = asyncio.create_task(scene(), name="scene")
    while not playing.done():
        due_s = loop.time() + _LOOK_S
        await asyncio.wait([playing], timeout=_LOOK_S)
        worst_s = max(worst_s, loop.time() - due_s)
    return playing.exception(), worst_s
