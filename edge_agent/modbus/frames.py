"""Which bytes that came are the answer to the question in hand (pure).

An answer counts only if everything that a frame says of itself is as asked: transaction, unit, function code, length,
and the check sum on RTU. Whatever else comes is stray: passed over, and never a value.
"""

import struct
from collections.abc import Callable
from enum import Enum

import msgspec

_HEADER = struct.Struct(">HHHB")
_CHECK = struct.Struct("<H")
_LENGTHS = range(3, 255)  # unit id and the shortest answer, unit id and the longest
_ERROR_BIT = 0x80
_REFUSAL_BYTES = 2
# A line driver that lets go may be heard as a byte or two; more than that is another frame.
_NOISE_BYTES = 2


class Question(msgspec.Struct, frozen=True):
    """One request, by what its answer must look like; `size` counts the data bytes. RTU has no transaction."""

    transaction: int
    unit_id: int
    function: int
    size: int


class Outcome(Enum):
    """What became of the bytes that came."""

    WAITING = "waiting"
    ANSWERED = "answered"
    STRAY = "stray"


class Heard(msgspec.Struct, frozen=True):
    """How many bytes are done with, and the answer's protocol data unit where it was among them."""

    used: int
    outcome: Outcome
    pdu: bytes = b""


Listener = Callable[[bytes, Question], Heard]


def hear_stream(data: bytes, question: Question) -> Heard:
    """Modbus TCP and TLS: frames follow each other; those of other transactions are passed over.

    The answer must be the last that came: bytes behind it say that it was put together from two.
    """
    used, outcome = 0, Outcome.WAITING
    while len(data) - used >= _HEADER.size:
        transaction, protocol, length, unit_id = _HEADER.unpack_from(data, used)
        end = used + _HEADER.size - 1 + length
        if protocol or length not in _LENGTHS:
            return Heard(len(data), Outcome.STRAY)
        if end > len(data):
            break
        pdu = data[used + _HEADER.size : end]
        is_ours = (transaction, unit_id) == (question.transaction, question.unit_id)
        if is_ours and end == len(data) and _answers(pdu, question):
            return Heard(end, Outcome.ANSWERED, pdu)
        used, outcome = end, Outcome.STRAY
    return Heard(used, outcome)


def hear_datagram(data: bytes, question: Question) -> Heard:
    """Modbus over UDP: one datagram is one whole frame."""
    heard = hear_stream(data, question)
    return heard if heard.outcome is Outcome.ANSWERED else Heard(len(data), Outcome.STRAY)


def hear_rtu(data: bytes, question: Question) -> Heard:
    """RTU, on a line or over TCP: the answer ends what came, but for a little noise; all before it is noise."""
    for noise in range(_NOISE_BYTES + 1):
        end = len(data) - noise
        for pdu_size in (2 + question.size, _REFUSAL_BYTES):
            start = end - pdu_size - 1 - _CHECK.size
            if start >= 0 and data[start] == question.unit_id:
                pdu = data[start + 1 : start + 1 + pdu_size]
                if (
                    _answers(pdu, question)
                    and _CHECK.pack(crc16(data[start : start + 1 + pdu_size])) == data[end - 2 : end]
                ):
                    return Heard(len(data), Outcome.ANSWERED, pdu)
    return Heard(0, Outcome.WAITING)


def rtu_frame(unit_id: int, pdu: bytes) -> bytes:
    """A frame as it goes over a serial line."""
    body = bytes((unit_id,)) + pdu
    return body + _CHECK.pack(crc16(body))


def tcp_frame(transaction: int, unit_id: int, pdu: bytes) -> bytes:
    """A frame of Modbus TCP, TLS and UDP."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit_id) + pdu


def crc16(data: bytes) -> int:
    """The check sum of RTU frames (Modbus over serial line 1.02, 6.2.2); the low byte travels first."""
    check = 0xFFFF
    for byte in data:
        check = check >> 8 ^ _CRC_TABLE[(check ^ byte) & 0xFF]
    return check


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC_TABLE = tuple(_crc_of(byte) for byte in range(256))


def _answers(pdu: bytes, question: Question) -> bool:
    """True for data of the right length from the right table, and for a refusal of this very function."""
    if pdu[0] == question.function:
        return len(pdu) == 2 + question.size and pdu[1] == question.size
    return pdu[0] == question.function | _ERROR_BIT and len(pdu) == _REFUSAL_BYTES
