"""One line to Modbus units: asks one question at a time, and only what answers that question becomes a value."""

import asyncio
from collections.abc import Sequence

from edge_agent.errors import DeviceError
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.connection import Connection, Transport
from edge_agent.modbus.owed import Owed
from edge_agent.modbus.transport import Port, Reply
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
_NOISE_BYTES = 2  # what a line driver that lets go may be heard as
_SILENCES_UNTIL_REOPENED = 3  # a serial adapter that hangs says nothing, and comes back when it is opened anew
# In units of the timeout: how long to wait for a line to fall silent, and how long an answer may still come that
# nothing tells from the next one.
_LONGEST_DRAIN, _LONGEST_DEBT = 3, 3


class Line:
    """A connection that is opened, read and closed by one task. Every wait is bounded by the connection's timeout.

    Where requests are numbered, a late answer is known by its number, and the connection is closed all the same. RTU
    answers have no number: after a disturbance the line is drained until it was quiet for a whole timeout, and a unit
    that owes an answer is first asked for something that this answer cannot be mistaken for.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._port: Port | None = None
        self._last_transaction = 0
        self._owed = Owed()
        self._asked_s = 0.0
        self._silences = 0
        # Who used the line before may have left without waiting for an answer.
        self._is_disturbed = not connection.transport.numbers_requests

    @property
    def is_open(self) -> bool:
        """True while there is a connection, as far as one can tell without using it."""
        return self._port is not None and self._port.is_open

    async def open(self) -> None:
        """Connect anew. Raises DeviceError."""
        self.close()
        self._silences = 0
        port = self._port = Port(self.connection)
        # Counting goes on: a gateway may send a late answer to the old connection's request over the new one.
        await port.open(self._last_transaction)
        self._asked_s = self._asked_s or asyncio.get_running_loop().time()

    def close(self) -> None:
        """Disconnect, if connected."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    async def read(self, device: str, unit_id: int, block: Block) -> Sequence[int]:
        """The registers or bits of a block; a busy unit is asked once more. Raises DeviceError naming `device`."""
        await self._tell_apart(device, unit_id, block)
        reply = await self._ask(device, unit_id, block)
        if reply.exception_code in _BUSY and not self._owed.is_owing(unit_id):
            await asyncio.sleep(BUSY_PAUSE_S)
            reply = await self._ask(device, unit_id, block)
        if reply.exception_code:
            raise _refusal(device, reply.exception_code, block)
        return reply.content

    async def _tell_apart(self, device: str, unit_id: int, block: Block) -> None:
        """See to it that no answer that is still owed can be taken for that of this block.

        Whatever is owed, and whatever it may turn out to be, has come or never will once the telling read is answered.
        """
        owed = self._owed
        if not owed.is_owing(unit_id):
            return
        telling = owed.telling_block(unit_id, block)
        if telling is not None:
            await self._ask(device, unit_id, telling)
        if owed.could_be_mistaken(unit_id, block):
            now_s = asyncio.get_running_loop().time()
            if owed.owed_for_s(unit_id, now_s) < _LONGEST_DEBT * self.connection.timeout_s:
                raise DeviceError(device, Reason.TIMEOUT, "an answer that looks the same may still come")
            owed.forget(unit_id)

    async def _ask(self, device: str, unit_id: int, block: Block) -> Reply:
        port = self._port
        if port is None:
            raise DeviceError(device, Reason.NOT_CONNECTED, f"connection {self.connection.name} is down")
        await self._settle(device, port)
        self._asked_s = asyncio.get_running_loop().time()
        try:
            reply = await port.ask(device, unit_id, block)
        except DeviceError as error:
            self._note_silence(unit_id, block, error.reason)
            raise
        except asyncio.CancelledError:
            self._note_silence(unit_id, block, Reason.NOT_CONNECTED)
            raise
        finally:
            self._last_transaction = port.transaction
        self._silences = 0
        if reply.exception_code:
            self._owed.note_refusal(unit_id, block, self._asked_s)
        else:
            self._owed.note_answer(unit_id, block)
        return reply

    async def _settle(self, device: str, port: Port) -> None:
        """Wait until the line was quiet: for a moment between frames, for a whole timeout after a disturbance."""
        loop, connection = asyncio.get_running_loop(), self.connection
        give_up_s = loop.time() + _LONGEST_DRAIN * connection.timeout_s + connection.rest_s
        while True:
            if port.take_unasked_bytes() > _NOISE_BYTES and not connection.transport.numbers_requests:
                self._is_disturbed = True
            quiet_s = max(connection.rest_s, connection.timeout_s if self._is_disturbed else 0.0)
            left_s = max(port.heard_s, self._asked_s) + quiet_s - loop.time()
            if left_s <= 0:
                break
            if loop.time() + left_s > give_up_s:
                raise DeviceError(device, Reason.BAD_RESPONSE, f"connection {connection.name} does not fall silent")
            await asyncio.sleep(left_s)
        self._is_disturbed = False

    def _note_silence(self, unit_id: int, block: Block, reason: Reason) -> None:
        """Close what cannot be trusted any more, or remember what a line of RTU frames owes."""
        if self.connection.transport.numbers_requests:
            self.close()
            return
        self._owed.note_silence(unit_id, block, self._asked_s)
        self._is_disturbed = True
        self._silences = self._silences + 1 if reason is Reason.TIMEOUT else 0
        is_serial = self.connection.transport is Transport.RTU
        if not is_serial or reason is Reason.NOT_CONNECTED or self._silences == _SILENCES_UNTIL_REOPENED:
            self.close()


def _refusal(device: str, code: int, block: Block) -> DeviceError:
    meaning = _EXCEPTIONS.get(code, "unknown exception")
    last = block.first + block.count - 1
    detail = f"exception {code} ({meaning}) for {block.table} {block.first} to {last}"
    return DeviceError(device, _REASONS.get(code, Reason.DEVICE_EXCEPTION), detail)
