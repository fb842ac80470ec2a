"""One line of RTU units on a real (pseudo) terminal."""

import asyncio
import time
from pathlib import Path

import pytest

from edge_agent.errors import DeviceError
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection, Parity, SerialPort, StopBits, Transport
from edge_agent.modbus.value import Table
from edge_agent.wire.sample import Reason
from tests.edge_agent.modbus.script import Request
from tests.edge_agent.modbus.serial_script import rtu, scripted_serial, serial_addresses
from tests.support.pace import in_pace
from tests.support.waiting import until

THREE, FIVE = Block(Table.HOLDING, 7, 3, ()), Block(Table.HOLDING, 20, 5, ())
TIMEOUT_S = 0.5


def line_at(path: Path, parity: Parity = Parity.NONE) -> Line:
    serial = SerialPort(path=str(path), baud=115200, parity=parity, stop_bits=StopBits.TWO)
    return Line(Connection(name="line", transport=Transport.RTU, serial=serial, timeout_s=TIMEOUT_S))


async def failure_of(line: Line, unit_id: int = 1, block: Block = THREE) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        await line.read("furnace1", unit_id, block)
    return caught.value


def silent_unit_9(request: Request) -> list[bytes]:
    return [] if request.unit == 9 else [serial_addresses(request)]


def test_several_units_share_one_line(tmp_path: Path) -> None:
    async def scene() -> None:
        with scripted_serial(tmp_path, silent_unit_9) as device:
            line = line_at(device.path)
            await line.open()
            for unit_id in (1, 2, 247):
                assert list(await line.read("furnace1", unit_id, THREE)) == [7, 8, 9]
            assert [request.unit for request in device.requests] == [1, 2, 247]
            line.close()

    in_pace(scene)


def test_a_dead_unit_costs_its_neighbours_one_timeout_and_the_line_stays_open(tmp_path: Path) -> None:
    async def scene() -> None:
        with scripted_serial(tmp_path, silent_unit_9) as device:
            line = line_at(device.path)
            await line.open()
            await line.read("furnace1", 1, THREE)
            began = time.monotonic()
            error = await failure_of(line, unit_id=9)
            assert list(await line.read("furnace1", 1, THREE)) == [7, 8, 9]
            assert time.monotonic() - began < 3 * TIMEOUT_S
            assert error.reason is Reason.TIMEOUT
            assert line.is_open
            line.close()

    in_pace(scene)


def test_after_a_disturbance_the_line_is_drained_until_it_was_quiet_for_a_whole_timeout(tmp_path: Path) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        said: list[float] = []

        def half_an_answer(request: Request) -> list[bytes]:
            loop.call_later(TIMEOUT_S * 0.7, say, serial_addresses(request)[:-2])
            return []

        def say(data: bytes) -> None:
            device.say(data)
            said.append(loop.time())

        with scripted_serial(tmp_path, half_an_answer) as device:
            line = line_at(device.path)
            await line.open()
            assert (await failure_of(line)).reason is Reason.BAD_RESPONSE
            device.script = silent_unit_9
            assert list(await line.read("furnace1", 2, FIVE)) == [20, 21, 22, 23, 24]
            assert loop.time() - said[0] >= TIMEOUT_S
            line.close()

    in_pace(scene)


def test_a_line_that_never_falls_silent_is_given_up_for_now(tmp_path: Path) -> None:
    async def babble(say: object, stop: asyncio.Event) -> None:
        assert callable(say)
        while not stop.is_set():
            say(b"\x55" * 8)
            await asyncio.sleep(TIMEOUT_S / 8)

    async def scene() -> None:
        with scripted_serial(tmp_path, silent_unit_9) as device:
            line, stop = line_at(device.path), asyncio.Event()
            await line.open()
            async with asyncio.TaskGroup() as group:
                group.create_task(babble(device.say, stop), name="babble")
                began = time.monotonic()
                error = await failure_of(line)
                assert (error.reason, device.requests) == (Reason.BAD_RESPONSE, [])
                assert "does not fall silent" in str(error)
                assert time.monotonic() - began < 8 * TIMEOUT_S
                stop.set()
            await until(lambda: line.is_open)
            assert list(await line.read("furnace1", 1, THREE)) == [7, 8, 9]
            line.close()

    in_pace(scene)


def test_a_unit_that_owes_an_answer_is_first_asked_for_something_else(tmp_path: Path) -> None:
    async def scene() -> None:
        late: list[bytes] = []

        def late_once(request: Request) -> list[bytes]:
            if not late:
                late.append(rtu(request, b"\x03\x06" + b"\xff" * 6))
                return []
            return [*late[: len(device.requests) == 2], serial_addresses(request)]

        with scripted_serial(tmp_path, late_once) as device:
            line = line_at(device.path)
            await line.open()
            await failure_of(line)
            assert list(await line.read("furnace1", 1, Block(Table.HOLDING, 40, 3, ()))) == [40, 41, 42]
            assert [(request.first, request.count) for request in device.requests] == [(7, 3), (40, 2), (40, 3)]
            assert list(await line.read("furnace1", 1, THREE)) == [7, 8, 9]
            assert len(device.requests) == 4
            line.close()

    in_pace(scene)


def test_a_reader_that_left_is_owed_its_answer_still(tmp_path: Path) -> None:
    async def scene() -> None:
        with scripted_serial(tmp_path, lambda request: []) as device:
            line = line_at(device.path)
            await line.open()
            reading = asyncio.create_task(line.read("furnace1", 1, THREE), name="reader")
            await until(lambda: device.requests)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            device.script = silent_unit_9
            await line.open()
            device.say(rtu(device.requests[0], b"\x03\x06" + b"\xff" * 6))
            assert list(await line.read("furnace1", 1, THREE)) == [7, 8, 9]
            line.close()

    in_pace(scene)


def test_a_line_on_which_nobody_answers_is_opened_anew(tmp_path: Path) -> None:
    async def scene() -> None:
        with scripted_serial(tmp_path, lambda request: []) as device:
            line = line_at(device.path)
            await line.open()
            for unit_id in (1, 2):
                await failure_of(line, unit_id)
                assert line.is_open
            await failure_of(line, 3)
            assert not line.is_open

    in_pace(scene)


def test_an_adapter_that_is_unplugged_is_noticed_and_found_again(tmp_path: Path) -> None:
    async def scene() -> None:
        with scripted_serial(tmp_path, lambda request: []) as device:
            line = line_at(device.path)
            await line.open()
            reading = asyncio.create_task(failure_of(line), name="reader")
            await until(lambda: device.requests)
            began = time.monotonic()
            device.unplug()
            assert (await reading).reason is Reason.NOT_CONNECTED
            assert time.monotonic() - began < TIMEOUT_S
            assert not line.is_open
            with pytest.raises(DeviceError, match=f"cannot connect to {device.path}"):
                await line.open()
            device.script = silent_unit_9
            device.plug_in()
            await line.open()
            assert list(await line.read("furnace1", 1, FIVE)) == [20, 21, 22, 23, 24]
            line.close()

    in_pace(scene)


def test_a_port_that_cannot_be_set_as_asked_says_so(tmp_path: Path) -> None:
    async def scene() -> None:
        with scripted_serial(tmp_path, silent_unit_9) as device:
            line = line_at(device.path, Parity.EVEN)  # which a pseudo terminal does not know
            with pytest.raises(DeviceError, match="Invalid argument") as caught:
                await line.open()
            assert caught.value.reason is Reason.NOT_CONNECTED

    in_pace(scene)


def test_a_port_that_another_program_holds_is_not_shared(tmp_path: Path) -> None:
    async def scene() -> None:
        with scripted_serial(tmp_path, silent_unit_9) as device:
            one, other = line_at(device.path), line_at(device.path)
            await one.open()
            with pytest.raises(DeviceError, match="cannot connect to"):
                await other.open()
            one.close()
            await other.open()
            other.close()

    in_pace(scene)
