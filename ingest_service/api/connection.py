"""One connection of a client: nobody holds it by being slow, and nobody sends a head without end."""

import asyncio
import json
import socket
import struct
import sys
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_BYTES = 16_384  # request line and headers together; browsers and proxies stay far below
HEAD_S = 10.0  # from the first byte, or from connecting, to the end of the head
STALLED_S = 60.0  # a reader that takes nothing for so long has gone


class GuardedConnection(H11Protocol):
    """uvicorn's connection with three limits: the head's size (431), the head's time (408), the reader's pace."""

    _head_due: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The head is due from now on."""
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """A part of a head or of a body."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._head_due = _cancel(self._head_due)
        self._stalled = _cancel(self._stalled)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        super().pause_writing()
        self._stalled = self._stalled or self.loop.call_later(STALLED_S, self._drop)

    def resume_writing(self) -> None:
        """It has caught up."""
        self._stalled = _cancel(self._stalled)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read, in one line; h11 says whether it was too long."""
        error = sys.exception()
        hint = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else HTTPStatus.BAD_REQUEST
        status = HTTPStatus(hint)
        detail = f"more than {HEAD_BYTES} bytes of headers" if status == 431 else "this is no HTTP request"
        self._refuse(status, detail)

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._head_due = _cancel(self._head_due)
        elif self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_S, self._head_late)

    def _head_late(self) -> None:
        if not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"no whole request within {HEAD_S:.0f} s")

    def _drop(self) -> None:
        """End it at once: what the system still holds for a reader that does not read goes too."""
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        body = refusal_body(status, detail)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "x-content-type-options": "nosniff",
            "connection": "close",
        }
        head = h11.Response(status_code=status, headers=list(headers.items()), reason=status.phrase)
        events: list[Any] = [head, h11.Data(data=body), h11.EndOfMessage()]
        self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()


def refusal_body(status: HTTPStatus, detail: str) -> bytes:
    """The error as programs get it everywhere."""
    return json.dumps({"error": status.phrase.lower().replace(" ", "_"), "detail": detail}).encode()


def _cancel(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Nothing is due any more: None."""
    if timer is not None:
        timer.cancel()
    return None
