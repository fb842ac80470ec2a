"""A TCP line to a broker that notes every packet which clients send over it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.support.mqtt_packets import Kind, Packet, split
from tests.support.waiting import PATIENCE_S


class Tap:
    """Listens on `port`, hands everything on to the broker, and keeps the clients' packets in `packets`."""

    def __init__(self, broker_port: int) -> None:
        self.packets: list[Packet] = []
        self._broker_port = broker_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._connections = 0
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def of(self, kind: Kind) -> list[Packet]:
        """The packets of this type so far."""
        return [packet for packet in list(self.packets) if packet.kind == kind]

    def cut(self) -> None:
        """Break every connection; new ones are welcome."""
        for one in list(self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break every connection, and listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for one in self._sockets:
            one.close()

    def _run(self, work: Callable[..., None], *facts: object) -> None:
        self._threads.append(threading.Thread(target=work, args=facts, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            with suppress(OSError):  # the broker is away: so is the line
                broker = socket.create_connection(("127.0.0.1", self._broker_port))
                self._sockets.append(broker)
                self._connections += 1
                self._run(self._pump, client, broker, self._connections)
                self._run(self._pump, broker, client, 0)
                continue
            client.close()

    def _pump(self, source: socket.socket, target: socket.socket, connection: int) -> None:
        """Hand on until one end closes; what a client says is noted (connection 0 is the broker's voice)."""
        buffer = bytearray()
        with suppress(OSError):
            while data := source.recv(65536):
                if connection:
                    self._note(buffer, data, connection)
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _note(self, buffer: bytearray, data: bytes, connection: int) -> None:
        buffer += data
        while found := split(buffer):
            self.packets.append(Packet(connection, time.time_ns() // 1_000_000, *found))


@contextmanager
def tapped(broker_port: int) -> Iterator[Tap]:
    """A line to that broker."""
    tap = Tap(broker_port)
    try:
        yield tap
    finally:
        tap.close()
