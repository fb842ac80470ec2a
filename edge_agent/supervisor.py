"""Tells the supervisor (systemd) that the agent is ready, alive and stopping; nothing where there is none."""

import asyncio
import os
import socket
from contextlib import suppress

BEAT_S = 20.0
SOCKET_VARIABLE = "NOTIFY_SOCKET"


def notify(state: str) -> None:
    """Send one state, as `READY=1` (sd_notify, systemd); a supervisor that does not listen is no error."""
    path = os.environ.get(SOCKET_VARIABLE, "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path  # @ stands for a name that is in no file system
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
        speaker.setblocking(False)
        speaker.connect(address)
        speaker.send(state.encode())


async def report_alive() -> None:
    """Say READY, and for ever that the event loop goes on; STOPPING at the end."""
    notify("READY=1")
    try:
        while True:
            notify("WATCHDOG=1")
            await asyncio.sleep(BEAT_S)
    finally:
        notify("STOPPING=1")
