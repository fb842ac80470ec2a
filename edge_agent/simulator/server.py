"""A Modbus TCP server for many units: answers in order of arrival, except those that are to be late.

Our own, because a device must be able to stay silent or be slow without touching its neighbours.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from edge_agent.simulator.frames import ExceptionCode, Request, answer, refuse, take_request
from edge_agent.simulator.unit import Unit

Clock = Callable[[], int]


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, units: Mapping[int, Unit], now_ms: Clock, clients: set[asyncio.Transport]) -> None:
        self._units = units
        self._now_ms = now_ms
        self._clients = clients
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._clients.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Answers that are still to come have nowhere to go."""
        if self._transport is not None:
            self._clients.discard(self._transport)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every whole frame; hang up on what is no Modbus TCP."""
        self._buffer += data
        try:
            while (request := take_request(self._buffer)) is not None:
                self._serve(request)
        except ValueError:
            if self._transport is not None:
                self._transport.close()

    def _serve(self, request: Request) -> None:
        at_ms = self._now_ms()
        unit = self._units.get(request.unit_id)
        if unit is None:
            self._send(request.framed(refuse(request.pdu[0], ExceptionCode.GATEWAY_TARGET_FAILED)))
            return
        delay_s = unit.delay_s(at_ms)
        if delay_s is None:
            return
        frame = request.framed(answer(request.pdu, unit, at_ms))
        if delay_s > 0.0:
            asyncio.get_running_loop().call_later(delay_s, self._send, frame)
        else:
            self._send(frame)

    def _send(self, frame: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)


@asynccontextmanager
async def modbus_server(units: Mapping[int, Unit], host: str, port: int, now_ms: Clock) -> AsyncIterator[int]:
    """Serve these units by unit id while the context lasts; yields the port, which is a free one where 0 was asked."""
    loop = asyncio.get_running_loop()
    clients: set[asyncio.Transport] = set()
    server = await loop.create_server(lambda: _Connection(units, now_ms, clients), host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in list(clients):
            transport.abort()
