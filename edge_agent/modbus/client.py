"""One line to Modbus units; the only user of pymodbus. It reads (function codes 1 to 4) and has no way to write.

pymodbus neither retries nor reconnects here: who calls decides when to try again.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusTcpClient, AsyncModbusTlsClient, AsyncModbusUdpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ConnectionException
from pymodbus.pdu import ModbusPDU

from edge_agent.errors import DeviceError
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.connection import Connection, Transport
from edge_agent.modbus.value import Table
from edge_agent.wire.sample import Reason

BUSY_PAUSE_S = 0.1
_BUSY = (5, 6)
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge, still busy",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}
# Behind a gateway the unit itself is out of reach; every other exception is an answer of the unit.
_REASONS = {10: Reason.NOT_CONNECTED, 11: Reason.TIMEOUT}
_FUNCTION_CODES = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}

# What pymodbus logs also reaches us as an exception, and is logged once per change of state.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class Line:
    """A connection that is opened, read and closed by one task. Every wait is bounded by the connection's timeout."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._client: ModbusBaseClient | None = None
        self._last_transaction = 0

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as one can tell without using it."""
        return self._client is not None and self._client.connected

    async def open(self) -> None:
        """Connect anew. Raises DeviceError."""
        self.close()
        connection = self.connection
        try:
            client = self._client = _client_of(connection)
            async with asyncio.timeout(connection.timeout_s):
                connected = await client.connect()
        except (TimeoutError, OSError, ModbusException) as error:
            self.close()
            raise self._unreachable(str(error) or "no answer in time") from error
        _keep_cancelled()
        if not connected:
            self.close()
            raise self._unreachable("refused or no answer")
        # Counting goes on: a gateway may send a late answer to the old connection's request over the new one.
        client.ctx.next_tid = self._last_transaction
        await asyncio.sleep(connection.pause_after_connect_s)

    def close(self) -> None:
        """Disconnect, if connected."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def read(self, device: str, unit_id: int, block: Block) -> Sequence[int]:
        """The registers or bits of a block; a busy unit is asked once more. Raises DeviceError naming `device`.

        After silence or an answer to another question the line is closed, so that a late answer is never taken for
        the next one.
        """
        response = await self._ask(device, unit_id, block)
        if response.exception_code in _BUSY:
            await asyncio.sleep(BUSY_PAUSE_S)
            response = await self._ask(device, unit_id, block)
        if response.isError():
            raise _refusal(device, response.exception_code, block)
        content = _content(response, unit_id, block)
        if content is None:
            self.close()
            raise DeviceError(device, Reason.BAD_RESPONSE, f"answer does not match the request: {response}")
        return content

    async def _ask(self, device: str, unit_id: int, block: Block) -> ModbusPDU:
        client = self._client
        if client is None:
            raise DeviceError(device, Reason.NOT_CONNECTED, f"connection {self.connection.name} is down")
        if self.connection.pause_between_requests_s:
            await asyncio.sleep(self.connection.pause_between_requests_s)
        try:
            async with asyncio.timeout(self.connection.timeout_s):
                response = await _reader(client, block.table)(block.first, count=block.count, device_id=unit_id)
            _keep_cancelled()
            return response
        except TimeoutError as error:
            self.close()
            raise DeviceError(device, Reason.TIMEOUT, f"no answer within {self.connection.timeout_s:g} s") from error
        except ConnectionException as error:
            self.close()
            raise DeviceError(device, Reason.NOT_CONNECTED, "the connection was lost") from error
        except ModbusException as error:
            self.close()
            raise DeviceError(device, Reason.BAD_RESPONSE, str(error)) from error
        finally:
            self._last_transaction = client.ctx.next_tid

    def _unreachable(self, detail: str) -> DeviceError:
        connection = self.connection
        where = f"{connection.host}:{connection.port}"
        return DeviceError(connection.name, Reason.NOT_CONNECTED, f"cannot connect to {where}: {detail}")


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


def _refusal(device: str, code: int, block: Block) -> DeviceError:
    meaning = _EXCEPTIONS.get(code, "unknown exception")
    last = block.first + block.count - 1
    detail = f"exception {code} ({meaning}) for {block.table} {block.first} to {last}"
    return DeviceError(device, _REASONS.get(code, Reason.DEVICE_EXCEPTION), detail)


def _content(response: ModbusPDU, unit_id: int, block: Block) -> Sequence[int] | None:
    """What was asked for; None when unit, function code or length are not those of the request."""
    if response.function_code != _FUNCTION_CODES[block.table] or response.dev_id != unit_id:
        return None
    if block.table.holds_bits:
        whole_bytes = (block.count + 7) // 8
        return response.bits if len(response.bits) == whole_bytes * 8 else None
    return response.registers if len(response.registers) == block.count else None


def _client_of(connection: Connection) -> ModbusBaseClient:
    """A client whose own timeout never comes first: ours bounds every wait."""
    spare_s = connection.timeout_s * 2
    host, port, name = connection.host, connection.port, connection.name
    if connection.transport is Transport.UDP:
        return AsyncModbusUdpClient(host, port=port, name=name, timeout=spare_s, retries=0, reconnect_delay=0)
    if connection.transport is Transport.TLS:
        context = _tls_context(connection)
        return AsyncModbusTlsClient(
            host, sslctx=context, port=port, name=name, timeout=spare_s, retries=0, reconnect_delay=0
        )
    framer = FramerType.RTU if connection.transport is Transport.RTU_OVER_TCP else FramerType.SOCKET
    return AsyncModbusTcpClient(
        host, framer=framer, port=port, name=name, timeout=spare_s, retries=0, reconnect_delay=0
    )


def _tls_context(connection: Connection) -> ssl.SSLContext:
    """Trusts the given authority, or the system's; shows our certificate where one is given."""
    context = ssl.create_default_context(cafile=connection.ca_file or None)
    if connection.cert_file:
        context.load_cert_chain(connection.cert_file, connection.key_file)
    return context
