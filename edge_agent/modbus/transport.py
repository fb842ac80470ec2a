"""The only user of pymodbus: its clients over every transport, with framing of our own that nothing slips through.

pymodbus neither retries nor reconnects here, and it is asked for four reads only (function codes 1 to 4).
"""

import asyncio
import logging
import ssl
import termios
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusTlsClient, AsyncModbusUdpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ConnectionException
from pymodbus.framer import FramerBase
from pymodbus.pdu import DecodePDU, ModbusPDU

from edge_agent.errors import DeviceError
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.connection import Connection, Transport
from edge_agent.modbus.frames import (
    Listener,
    Outcome,
    Question,
    hear_datagram,
    hear_rtu,
    hear_stream,
    rtu_frame,
    tcp_frame,
)
from edge_agent.modbus.value import Table
from edge_agent.wire.sample import Reason

_LISTENERS = {
    Transport.TCP: hear_stream,
    Transport.TLS: hear_stream,
    Transport.UDP: hear_datagram,
    Transport.RTU: hear_rtu,
    Transport.RTU_OVER_TCP: hear_rtu,
}
_LONGEST_BURST = 2048  # bytes that may come before an answer is complete; more is a line out of order

# What pymodbus logs also reaches us as an exception, and is logged once per change of state.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class Reply(msgspec.Struct, frozen=True):
    """What a unit said: an exception code, or the registers or bits that were asked for (then the code is 0)."""

    exception_code: int
    content: Sequence[int]


class Port:
    """One connection, opened once and closed once. Every wait is bounded by the connection's timeout."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._framer = _Framer(_LISTENERS[connection.transport])
        self._client: ModbusBaseClient | None = None
        self._waiting: asyncio.Timeout | None = None

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as one can tell without using it."""
        return self._client is not None and self._client.connected

    @property
    def heard_s(self) -> float:
        """When the last byte came, by the event loop's clock."""
        return self._framer.heard_s

    @property
    def transaction(self) -> int:
        """The number of the last request."""
        return self._framer.transaction

    def take_unasked_bytes(self) -> int:
        """How many bytes came since the last call while nothing was asked."""
        count, self._framer.unasked_bytes = self._framer.unasked_bytes, 0
        return count

    async def open(self, last_transaction: int) -> None:
        """Connect; requests are numbered from there on. Raises DeviceError."""
        connection = self._connection
        try:
            client = self._client = _client_of(connection, self._note_connection)
            client.ctx.framer = self._framer
            client.ctx.max_buffer_size = _LONGEST_BURST
            async with asyncio.timeout(connection.timeout_s):
                connected = await client.connect()
        except (TimeoutError, OSError, ValueError, termios.error, ModbusException) as error:
            raise self._unreachable(str(error) or "no answer in time") from error
        _keep_cancelled()
        if not connected:
            raise self._unreachable("refused or no answer")
        client.ctx.next_tid = last_transaction
        await asyncio.sleep(connection.pause_after_connect_s)

    def close(self) -> None:
        """Disconnect, if connected."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def ask(self, device: str, unit_id: int, block: Block) -> Reply:
        """One request and its answer. Raises DeviceError naming `device`; what is owed then may still come."""
        client = self._client
        if client is None or not client.connected:
            raise DeviceError(device, Reason.NOT_CONNECTED, f"connection {self._connection.name} is down")
        try:
            async with asyncio.timeout(self._connection.timeout_s) as self._waiting:
                response = await _reader(client, block.table)(block.first, count=block.count, device_id=unit_id)
            _keep_cancelled()
        except TimeoutError as error:
            raise self._unanswered(device) from error
        except ConnectionException as error:
            raise DeviceError(device, Reason.NOT_CONNECTED, "the connection was lost") from error
        except ModbusException as error:
            raise DeviceError(device, Reason.BAD_RESPONSE, str(error)) from error
        finally:
            self._waiting = None
        if response.isError():
            return Reply(response.exception_code, ())
        return Reply(0, response.bits if block.table.holds_bits else response.registers)

    def _note_connection(self, is_there: bool) -> None:
        """Nobody waits for an answer on a connection that is lost."""
        if not is_there and self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())

    def _unanswered(self, device: str) -> DeviceError:
        if not self.is_open:
            return DeviceError(device, Reason.NOT_CONNECTED, "the connection was lost")
        if self._framer.stray:
            return DeviceError(device, Reason.BAD_RESPONSE, f"no answer to the request: {self._framer.stray.hex(' ')}")
        return DeviceError(device, Reason.TIMEOUT, f"no answer within {self._connection.timeout_s:g} s")

    def _unreachable(self, detail: str) -> DeviceError:
        self.close()
        connection = self._connection
        return DeviceError(connection.name, Reason.NOT_CONNECTED, f"cannot connect to {connection.address}: {detail}")


class _Framer(FramerBase):
    """Builds requests and takes the one answer that matches; never raises, whatever comes."""

    MAX_SIZE = _LONGEST_BURST

    def __init__(self, listen: Listener) -> None:
        super().__init__(DecodePDU(False))
        self._listen = listen
        self._question: Question | None = None
        self.heard_s = 0.0
        self.unasked_bytes = 0
        self.transaction = 0
        self.stray = b""  # the first of what came instead of an answer

    def buildFrame(self, message: ModbusPDU) -> bytes:
        """The request as bytes; its answer is what is listened for from now on."""
        pdu = message.function_code.to_bytes() + message.encode()
        size = (message.count + 7) // 8 if message.function_code <= 2 else 2 * message.count
        self.transaction, self.stray = message.transaction_id, b""
        self._question = Question(self.transaction, message.dev_id, message.function_code, size)
        if self._listen is hear_rtu:
            return rtu_frame(message.dev_id, pdu)
        return tcp_frame(self.transaction, message.dev_id, pdu)

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:
        """How many bytes of all that came are done with, and the answer when it is there."""
        self.heard_s = asyncio.get_running_loop().time()
        question = self._question
        if question is None:
            self.unasked_bytes += len(data)
            return len(data), None
        heard = self._listen(data, question)
        if heard.outcome is not Outcome.ANSWERED:
            self.stray = self.stray or data[:16]
            return heard.used, None
        self._question = None
        answer = self.decoder.decode(heard.pdu)
        if answer is not None:
            answer.dev_id, answer.transaction_id = question.unit_id, question.transaction
        return heard.used, answer


def _keep_cancelled() -> None:
    """Raise a cancellation that came together with the answer: before Python 3.12 `wait_for` loses it (gh-86296)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _reader(client: ModbusBaseClient, table: Table) -> Callable[..., Awaitable[ModbusPDU]]:
    readers: dict[Table, Callable[..., Awaitable[ModbusPDU]]] = {
        Table.COIL: client.read_coils,
        Table.DISCRETE: client.read_discrete_inputs,
        Table.HOLDING: client.read_holding_registers,
        Table.INPUT: client.read_input_registers,
    }
    return readers[table]


def _client_of(connection: Connection, watch: Callable[[bool], None]) -> ModbusBaseClient:
    """A client whose own timeout never comes first: ours bounds every wait."""
    host, port, spare_s = connection.host, connection.port, connection.timeout_s * 2
    if connection.serial is not None:
        serial = connection.serial
        return AsyncModbusSerialClient(
            serial.path,
            baudrate=serial.baud,
            parity=serial.parity.value[0].upper(),
            stopbits=serial.stop_bits,
            timeout=spare_s,
            retries=0,
            reconnect_delay=0,
            trace_connect=watch,
        )
    if connection.transport is Transport.UDP:
        return AsyncModbusUdpClient(host, port=port, timeout=spare_s, retries=0, reconnect_delay=0, trace_connect=watch)
    if connection.transport is Transport.TLS:
        tls = _tls_context(connection)
        return AsyncModbusTlsClient(
            host, sslctx=tls, port=port, timeout=spare_s, retries=0, reconnect_delay=0, trace_connect=watch
        )
    return AsyncModbusTcpClient(host, port=port, timeout=spare_s, retries=0, reconnect_delay=0, trace_connect=watch)


def _tls_context(connection: Connection) -> ssl.SSLContext:
    """Trusts the given authority, or the system's; shows our certificate where one is given."""
    context = ssl.create_default_context(cafile=connection.ca_file or None)
    if connection.cert_file:
        context.load_cert_chain(connection.cert_file, connection.key_file)
    return context
