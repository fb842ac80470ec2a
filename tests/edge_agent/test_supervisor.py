import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge_agent import supervisor
from edge_agent.supervisor import SOCKET_VARIABLE, notify, report_alive
from tests.support.waiting import until


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.setblocking(False)
        monkeypatch.setenv(SOCKET_VARIABLE, str(tmp_path / "notify"))
        yield found


def heard(listener: socket.socket) -> list[str]:
    said = []
    with suppress(BlockingIOError):
        while True:
            said.append(listener.recv(100).decode())
    return said


def test_it_says_that_it_is_ready_then_that_it_lives_and_at_the_end_that_it_stops(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BEAT_S", 0.01)
    said: list[str] = []

    async def scene() -> None:
        task = asyncio.create_task(report_alive(), name="supervisor")
        await until(lambda: said.extend(heard(listener)) or said.count("WATCHDOG=1") >= 3)  # type: ignore[func-returns-value]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    said += heard(listener)
    assert (said[0], said[-1], set(said[1:-1])) == ("READY=1", "STOPPING=1", {"WATCHDOG=1"})


def test_a_name_that_is_in_no_file_system_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + tmp_path.name)
        listener.setblocking(False)
        monkeypatch.setenv(SOCKET_VARIABLE, "@" + tmp_path.name)
        notify("READY=1")
        assert heard(listener) == ["READY=1"]


@pytest.mark.parametrize("path", ["", "/nowhere/notify"])
def test_without_a_supervisor_it_goes_on_and_says_nothing_to_others(
    path: str, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SOCKET_VARIABLE, path)
    monkeypatch.setattr(supervisor, "BEAT_S", 0.01)

    async def scene() -> None:
        task = asyncio.create_task(report_alive(), name="supervisor")
        done, _ = await asyncio.wait([task], timeout=5 * supervisor.BEAT_S)
        assert not done
        task.cancel()

    asyncio.run(scene())
    assert heard(listener) == []
