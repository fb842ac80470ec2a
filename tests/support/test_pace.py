import time

import pytest

from tests.support.pace import in_pace


def test_a_scene_that_failed_while_its_loop_was_held_up_is_played_again() -> None:
    played: list[int] = []

    async def scene() -> None:
        played.append(1)
        if len(played) < 3:
            time.sleep(0.1)  # noqa: ASYNC251 - the machine stands still
            pytest.fail("too late")

    in_pace(scene)
    assert len(played) == 3


def test_what_always_fails_fails_in_the_end() -> None:
    played: list[int] = []

    async def scene() -> None:
        played.append(1)
        time.sleep(0.1)  # noqa: ASYNC251 - the machine stands still
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        in_pace(scene, attempts=2)
    assert len(played) == 2


def test_a_scene_that_ends_well_is_played_once() -> None:
    played: list[int] = []

    async def scene() -> None:
        played.append(1)

    in_pace(scene)
    assert len(played) == 1
