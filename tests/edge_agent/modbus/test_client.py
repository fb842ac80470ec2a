import ast
import asyncio
import inspect
import re
import shutil
import time
from collections.abc import Coroutine
from pathlib import Path

import msgspec
import pytest

from edge_agent.errors import DeviceError
from edge_agent.modbus import transport as adapter
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection, SerialPort, Transport
from edge_agent.modbus.value import Table
from edge_agent.wire.sample import Reason
from tests.edge_agent.modbus.script import Request, addresses, frame, refusal, registers, scripted, until_hung_up
from tests.edge_agent.modbus.server import COILS, HOLDING, INPUT, running_server
from tests.support.broker import free_port
from tests.support.certificates import make_certificates
from tests.support.faulty.process import faulty_device
from tests.support.pace import in_pace
from tests.support.waiting import PATIENCE_S, until

THREE = Block(Table.HOLDING, 7, 3, ())


def line_to(port: int, timeout_s: float = 2.0, transport: Transport = Transport.TCP, ca_file: str = "") -> Line:
    return Line(
        Connection(name="line", transport=transport, host="127.0.0.1", port=port, timeout_s=timeout_s, ca_file=ca_file)
    )


def serial_line(path: str, timeout_s: float = 1.0) -> Line:
    serial = SerialPort(path=path, baud=19200)
    return Line(Connection(name="line", transport=Transport.RTU, serial=serial, timeout_s=timeout_s))


async def all_tables(line: Line) -> list[list[int]]:
    await line.open()
    blocks = [
        Block(Table.HOLDING, 3, 2, ()),
        Block(Table.INPUT, 0, 2, ()),
        Block(Table.COIL, 0, 3, ()),
        Block(Table.DISCRETE, 1, 1, ()),
    ]
    try:
        return [list(await line.read("furnace1", 2, block)) for block in blocks]
    finally:
        line.close()
        await until_hung_up(line.connection.port)


NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.mark.parametrize(
    "transport",
    [
        Transport.TCP,
        Transport.RTU_OVER_TCP,
        Transport.UDP,
        Transport.RTU,
        pytest.param(Transport.TLS, marks=NEEDS_OPENSSL),
    ],
)
def test_a_server_of_another_make_is_read_over_every_transport(transport: Transport, tmp_path: Path) -> None:
    server = make_certificates(tmp_path).server if transport is Transport.TLS else None
    files = (server.cert, server.key) if server else ()
    port = free_port()

    async def scene() -> None:
        line = serial_line(serial_port) if serial_port else line_to(port, 1.0, transport, (*files, "")[0])
        words, inputs, coils, discrete = await all_tables(line)
        assert words == HOLDING[3:]
        assert inputs == INPUT
        assert [bool(bit) for bit in coils[:3]] == COILS
        assert discrete[0]

    with running_server(port, transport, *files) as serial_port:
        in_pace(scene)


async def failure_of(work: Coroutine[None, None, object]) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        await work
    return caught.value


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(1, Reason.DEVICE_EXCEPTION, id="illegal function"),
        pytest.param(2, Reason.DEVICE_EXCEPTION, id="illegal data address"),
        pytest.param(3, Reason.DEVICE_EXCEPTION, id="illegal data value"),
        pytest.param(4, Reason.DEVICE_EXCEPTION, id="device failure"),
        pytest.param(10, Reason.NOT_CONNECTED, id="gateway path unavailable"),
        pytest.param(11, Reason.TIMEOUT, id="gateway target did not answer"),
        pytest.param(99, Reason.DEVICE_EXCEPTION, id="unknown exception"),
    ],
)
def test_an_exception_is_an_answer_that_is_not_asked_for_again(code: int, reason: Reason) -> None:
    async def scene() -> None:
        async with scripted(lambda request: [refusal(request, code)]) as device:
            line = line_to(device.port)
            await line.open()
            error = await failure_of(line.read("furnace1", 1, THREE))
            assert error.reason is reason
            assert f"exception {code}" in str(error)
            assert "furnace1" in str(error)
            assert len(device.requests) == 1
            assert line.is_open
            line.close()

    in_pace(scene)


@pytest.mark.parametrize("code", [5, 6])
def test_a_busy_unit_is_asked_once_more(code: int) -> None:
    async def scene() -> None:
        answers = iter([refusal, None, refusal, refusal])

        def script(request: Request) -> list[bytes]:
            busy = next(answers)
            return [busy(request, code) if busy else addresses(request)]

        async with scripted(script) as device:
            line = line_to(device.port)
            await line.open()
            assert list(await line.read("furnace1", 1, THREE)) == [7, 8, 9]
            error = await failure_of(line.read("furnace1", 1, THREE))
            assert error.reason is Reason.DEVICE_EXCEPTION
            assert len(device.requests) == 4
            line.close()

    in_pace(scene)


def test_silence_costs_one_timeout_and_the_connection() -> None:
    async def scene() -> None:
        async with scripted(lambda request: [] if request.unit == 9 else [addresses(request)]) as device:
            line = line_to(device.port, timeout_s=0.2)
            await line.open()
            began = time.monotonic()
            error = await failure_of(line.read("furnace1", 9, THREE))
            assert error.reason is Reason.TIMEOUT
            assert 0.2 <= time.monotonic() - began < 2
            assert not line.is_open
            await line.open()
            assert list(await line.read("furnace2", 1, THREE)) == [7, 8, 9]
            assert (len(device.requests), device.connections) == (2, 2)
            line.close()

    in_pace(scene)


def test_a_late_answer_never_becomes_the_value_of_the_next_request() -> None:
    async def scene() -> None:
        withheld: list[bytes] = []

        def script(request: Request) -> list[bytes]:
            if request.first == 100:
                withheld.append(addresses(request))
                return []
            return [*withheld, addresses(request)]

        async with scripted(script) as device:
            line = line_to(device.port, timeout_s=0.2)
            await line.open()
            await failure_of(line.read("furnace1", 1, Block(Table.HOLDING, 100, 3, ())))
            await line.open()
            assert list(await line.read("furnace1", 1, THREE)) == [7, 8, 9]
            line.close()

    in_pace(scene)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda request: registers(request, [1, 2]), id="fewer registers than asked for"),
        pytest.param(lambda request: registers(request, [1, 2, 3, 4]), id="more registers than asked for"),
        pytest.param(lambda request: registers(request, [1, 2, 3], function=4), id="of another table"),
        pytest.param(lambda request: frame(request, b"\x03\x06" + bytes(6), unit=5), id="of another unit"),
    ],
)
def test_an_answer_to_another_question_is_no_value_and_closes_the_line(answer: object) -> None:
    async def scene() -> None:
        assert callable(answer)
        async with scripted(lambda request: [answer(request)]) as device:
            line = line_to(device.port, timeout_s=0.2)
            await line.open()
            error = await failure_of(line.read("furnace1", 1, THREE))
            assert error.reason in (Reason.BAD_RESPONSE, Reason.TIMEOUT)
            assert not line.is_open

    in_pace(scene)


def test_a_connection_that_is_cut_is_not_waited_for() -> None:
    async def scene() -> None:
        async with scripted(lambda request: []) as device:
            line = line_to(device.port, timeout_s=60.0)
            await line.open()
            reading = asyncio.create_task(failure_of(line.read("furnace1", 1, THREE)), name="reader")
            await until(lambda: device.requests)
            await device.hang_up()
            async with asyncio.timeout(50.0):
                assert (await reading).reason is Reason.NOT_CONNECTED
            assert not line.is_open

    in_pace(scene)


@NEEDS_OPENSSL
def test_modbus_security_shows_our_certificate_to_a_device_that_asks_for_it(tmp_path: Path) -> None:
    async def scene(connection: Connection) -> None:
        line = Line(connection)
        await line.open()
        assert len(await line.read("furnace1", 1, Block(Table.INPUT, 0, 4, ()))) == 4
        line.close()
        for changes in ({"cert_file": "", "key_file": ""}, {"ca_file": connection.cert_file}):
            stranger = Line(msgspec.structs.replace(connection, **changes))
            with pytest.raises(DeviceError) as caught:
                await open_and_read(stranger)
            assert caught.value.reason is Reason.NOT_CONNECTED

    async def open_and_read(line: Line) -> None:
        await line.open()
        await line.read("furnace1", 1, THREE)

    with faulty_device(Transport.TLS, make_certificates(tmp_path), 2.0, share=0.0) as device:
        in_pace(lambda: scene(device.connections[0]))


def test_nobody_listening_is_told_apart_from_silence() -> None:
    async def scene() -> None:
        line = line_to(free_port())
        error = await failure_of(line.open())
        assert error.reason is Reason.NOT_CONNECTED
        assert "cannot connect to 127.0.0.1:" in str(error)
        assert (await failure_of(line.read("furnace1", 1, THREE))).reason is Reason.NOT_CONNECTED

    in_pace(scene)


def test_a_device_can_be_given_a_rest_between_requests() -> None:
    async def scene() -> None:
        async with scripted(lambda request: [addresses(request)]) as device:
            rest = Connection(
                name="slow",
                transport=Transport.TCP,
                host="127.0.0.1",
                port=device.port,
                pause_after_connect_s=0.1,
                pause_between_requests_s=0.1,
            )
            line = Line(rest)
            began = time.monotonic()
            await line.open()
            await line.read("furnace1", 1, THREE)
            await line.read("furnace1", 1, THREE)
            assert time.monotonic() - began >= 0.2
            line.close()

    in_pace(scene)


def test_the_only_client_calls_are_the_four_reads() -> None:
    tree = ast.parse(inspect.getsource(adapter))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    reads = {"read_coils", "read_discrete_inputs", "read_holding_registers", "read_input_registers"}
    assert {name for name in names if name.startswith(("read_", "write", "mask", "execute"))} == reads
    sources = Path(adapter.__file__).parent.parent.rglob("*.py")
    importers = [path.name for path in sources if re.search(r"^(from|import) pymodbus", path.read_text(), re.MULTILINE)]
    assert importers == ["transport.py"]


def test_whoever_reads_can_be_cancelled_at_any_moment() -> None:
    async def read_for_ever(line: Line) -> None:
        try:
            while True:
                if not line.is_open:
                    await line.open()
                await line.read("furnace1", 1, THREE)
        finally:
            line.close()

    async def scene() -> None:
        async with scripted(lambda request: [addresses(request)]) as device:
            for turns in range(200):
                task = asyncio.create_task(read_for_ever(line_to(device.port)), name="reader")
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
                assert done, f"still reading, cancelled after {turns} turns of the loop"

    in_pace(scene)
