"""The faulty device as a process of its own."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from edge_agent.modbus.connection import Connection, SerialPort, Transport
from tests.support.certificates import Certificates
from tests.support.faulty.faults import Fault
from tests.support.faulty.talk import Command, Done, Where


class FaultyDevice:
    """A running device. `connections` leads to each of its lines."""

    def __init__(self, process: "subprocess.Popen[str]", connections: Sequence[Connection]) -> None:
        self._process, self.connections = process, connections

    def report(self) -> Done:
        return self._ask(Command.REPORT)

    def calm(self) -> Done:
        """No faults from now on."""
        return self._ask(Command.CALM)

    async def until_faulted(self, faulted: int) -> None:
        """Return when that many requests met a fault."""
        while (await asyncio.to_thread(self.report)).faulted < faulted:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)

    def _ask(self, command: Command) -> Done:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(_line(self._process), type=Done)


@contextmanager
def faulty_device(
    transport: Transport,
    certificates: Certificates,
    timeout_s: float,
    *,
    lines: int = 1,
    seed: int = 0,
    share: float = 0.8,
    faults: Sequence[Fault] = (),
) -> Iterator[FaultyDevice]:
    """The device, ended with the context. Raises AssertionError if it had anything to complain about."""
    server, client = certificates.server, certificates.client
    command = [sys.executable, "-m", "tests.support.faulty", "--transport", transport, "--lines", str(lines)]
    command += ["--seed", str(seed), "--share", str(share), "--timeout-s", str(timeout_s)]
    command += ["--faults", *(fault.name for fault in faults)] if faults else []
    command += ["--cert", server.cert, "--key", server.key, "--client-ca", client.cert]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            where = msgspec.json.decode(_line(process), type=Where)
            leads = [_connection(transport, address, certificates, timeout_s) for address in where.addresses]
            yield FaultyDevice(process, leads)
        except BaseException:
            process.kill()
            raise
        _, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, f"the faulty device ended with {process.wait(timeout=10)}: {process.stderr.read()}"
    return line


def _connection(transport: Transport, address: str, certificates: Certificates, timeout_s: float) -> Connection:
    if transport is Transport.RTU:
        serial = SerialPort(path=address, baud=115200)
        return Connection(name=address, transport=transport, serial=serial, timeout_s=timeout_s)
    is_tls = transport is Transport.TLS
    return Connection(
        name=address,
        transport=transport,
        host="127.0.0.1",
        port=int(address),
        timeout_s=timeout_s,
        ca_file=certificates.server.cert if is_tls else "",
        cert_file=certificates.client.cert if is_tls else "",
        key_file=certificates.client.key if is_tls else "",
    )
