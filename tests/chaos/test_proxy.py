import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.support.proxy import Proxies, Proxy, Trouble, proxies
from tests.support.waiting import PATIENCE_S

SILENCE_S = 0.4


class Heard:
    """A tap that keeps what passed."""

    def __init__(self) -> None:
        self.to_server, self.to_client = b"", b""

    def asked(self, data: bytes) -> None:
        self.to_server += data

    def answered(self, data: bytes) -> None:
        self.to_client += data


@contextmanager
def echo() -> Iterator[int]:
    """A server that sends back what it gets; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=_echo, args=(listener.accept()[0],), daemon=True).start()


def _echo(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        while data := connection.recv(4096):
            connection.sendall(data)


@pytest.fixture
def lines() -> Iterator[Proxies]:
    with proxies() as made:
        yield made


@contextmanager
def caller(line: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", line.port)) as connection:
        connection.settimeout(PATIENCE_S)
        yield connection


def says(connection: socket.socket, text: bytes) -> bytes:
    """What comes back; b"" when the other side hangs up."""
    connection.sendall(text)
    return connection.recv(4096)


def stays_silent(connection: socket.socket, text: bytes) -> bool:
    """Whether nothing comes back, for a while."""
    connection.sendall(text)
    connection.settimeout(SILENCE_S)
    try:
        connection.recv(4096)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(PATIENCE_S)
    return False


def is_broken(connection: socket.socket) -> bool:
    try:
        return says(connection, b"?") == b"" and connection.recv(1) == b""
    except ConnectionError:
        return True


def test_without_trouble_bytes_pass_both_ways_and_the_tap_hears_them(lines: Proxies) -> None:
    heard = Heard()
    with echo() as port, caller(lines.line(port, lambda: heard)) as connection:
        assert says(connection, b"hello") == b"hello"
        assert (heard.to_server, heard.to_client) == (b"hello", b"hello")


def test_a_cut_line_breaks_and_takes_nobody_until_it_is_mended(lines: Proxies) -> None:
    with echo() as port:
        line = lines.line(port)
        with caller(line) as connection:
            assert says(connection, b"1") == b"1"
            line.suffer(Trouble.CUT)
            assert is_broken(connection)
        with caller(line) as connection:
            assert is_broken(connection)
        line.suffer(Trouble.NONE)
        with caller(line) as connection:
            assert says(connection, b"2") == b"2"


def test_after_a_reset_new_connections_work_at_once(lines: Proxies) -> None:
    with echo() as port:
        line = lines.line(port)
        with caller(line) as old:
            assert says(old, b"1") == b"1"
            line.suffer(Trouble.RESET)
            assert is_broken(old)
        with caller(line) as new:
            assert says(new, b"2") == b"2"


def test_stalled_bytes_arrive_afterwards(lines: Proxies) -> None:
    with echo() as port:
        line = lines.line(port)
        with caller(line) as connection:
            line.suffer(Trouble.STALL)
            assert stays_silent(connection, b"late")
            line.suffer(Trouble.NONE)
            assert connection.recv(4096) == b"late"


def test_a_half_open_connection_never_comes_to_life_again_and_new_ones_work_afterwards(lines: Proxies) -> None:
    with echo() as port:
        line = lines.line(port)
        with caller(line) as connection:
            line.suffer(Trouble.HALF_OPEN)
            assert stays_silent(connection, b"gone")
            line.suffer(Trouble.NONE)
            assert stays_silent(connection, b"still gone")
        with caller(line) as connection:
            assert says(connection, b"here") == b"here"


def test_a_slow_line_delivers_everything_late(lines: Proxies) -> None:
    with echo() as port:
        line = lines.line(port)
        line.suffer(Trouble.SLOW)
        with caller(line) as connection:
            begun = time.monotonic()
            assert says(connection, b"x" * 400) == b"x" * 400
            assert time.monotonic() - begun > 0.3
