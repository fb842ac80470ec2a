import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modbus.frames import (
    Heard,
    Outcome,
    Question,
    crc16,
    hear_datagram,
    hear_rtu,
    hear_stream,
    rtu_frame,
    tcp_frame,
)

ASKED = Question(transaction=7, unit_id=1, function=3, size=4)
ANSWER = bytes.fromhex("03 04 42f6 e979")
REFUSAL = bytes.fromhex("83 02")
FRAME = tcp_frame(7, 1, ANSWER)
OLD = tcp_frame(6, 1, bytes.fromhex("03 04 0000 0000"))
RTU = rtu_frame(1, ANSWER)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("02 07 41 12", id="the example of the specification"),
        pytest.param("01 03 00 00 00 0a c5 cd", id="a request for ten holding registers"),
        pytest.param("01 04 02 ff ff b8 80", id="an answer with one input register"),
    ],
)
def test_check_sums_are_those_of_printed_frames(frame: str) -> None:
    data = bytes.fromhex(frame)
    assert struct.pack("<H", crc16(data[:-2])) == data[-2:]
    assert rtu_frame(data[0], data[1:-2]) == data


def test_a_frame_of_modbus_tcp_is_as_the_messaging_guide_prints_it() -> None:
    assert tcp_frame(0x1501, 0xFF, bytes.fromhex("03 0004 0001")) == bytes.fromhex("1501 0000 0006 ff 03 0004 0001")


STREAMS = [
    pytest.param(FRAME, ANSWER, id="the answer"),
    pytest.param(tcp_frame(7, 1, REFUSAL), REFUSAL, id="a refusal"),
    pytest.param(OLD + FRAME, ANSWER, id="the answer behind that to an earlier request"),
    pytest.param(FRAME[:9], None, id="half an answer"),
    pytest.param(b"", None, id="nothing"),
    pytest.param(OLD, None, id="the answer to an earlier request"),
    pytest.param(tcp_frame(0, 1, ANSWER), None, id="an answer without a number"),
    pytest.param(tcp_frame(7, 2, ANSWER), None, id="of another unit"),
    pytest.param(tcp_frame(7, 1, b"\x04" + ANSWER[1:]), None, id="of another table"),
    pytest.param(tcp_frame(7, 1, b"\x84\x02"), None, id="a refusal of another function"),
    pytest.param(tcp_frame(7, 1, b"\x03\x02\x42\xf6"), None, id="too short an answer"),
    pytest.param(tcp_frame(7, 1, b"\x03\x04\x42\xf6"), None, id="a count of bytes that are not there"),
    pytest.param(tcp_frame(7, 1, ANSWER + b"\0"), None, id="bytes behind the data"),
    pytest.param(FRAME + FRAME, ANSWER, id="the answer twice"),
    pytest.param(FRAME + OLD, None, id="the answer before another frame"),
    pytest.param(FRAME[:9] + OLD, None, id="the beginning of the answer, then another frame"),
    pytest.param(b"\0\7\0\1" + FRAME[4:], None, id="another protocol"),
    pytest.param(b"\0\7\0\0\xff\xff" + FRAME[6:], None, id="an impossible length"),
]


@pytest.mark.parametrize(("data", "expected"), STREAMS)
def test_of_a_stream_only_the_answer_counts(data: bytes, expected: bytes | None) -> None:
    heard = hear_stream(data, ASKED)
    assert (heard.pdu or None) == expected
    assert (heard.outcome is Outcome.ANSWERED) is (expected is not None)
    assert heard.used <= len(data)


def test_half_a_frame_waits_for_the_rest_and_a_strange_one_is_passed_over() -> None:
    assert hear_stream(FRAME[:9], ASKED) == Heard(0, Outcome.WAITING)
    assert hear_stream(OLD + FRAME[:9], ASKED) == Heard(len(OLD), Outcome.STRAY)
    assert hear_stream(b"\xff" * 20, ASKED) == Heard(20, Outcome.STRAY)


@pytest.mark.parametrize(
    "data", [pytest.param(FRAME[:9], id="cut short"), pytest.param(FRAME[:9] + OLD, id="put together from two")]
)
def test_a_datagram_that_is_no_answer_leaves_nothing_behind(data: bytes) -> None:
    assert hear_datagram(data, ASKED) == Heard(len(data), Outcome.STRAY)
    assert hear_datagram(FRAME, ASKED).pdu == ANSWER


RTU_LINES = [
    pytest.param(RTU, ANSWER, id="the answer"),
    pytest.param(rtu_frame(1, REFUSAL), REFUSAL, id="a refusal"),
    pytest.param(b"\0\xff\x55" + RTU, ANSWER, id="the answer behind noise"),
    pytest.param(b"\x01\x03\x04" + RTU, ANSWER, id="the answer behind the beginning of another"),
    pytest.param(rtu_frame(2, ANSWER) + RTU, ANSWER, id="the answer behind that of another unit"),
    pytest.param(RTU + b"\0\0", ANSWER, id="two bytes of noise behind the answer"),
    pytest.param(RTU + b"\0\0\0", None, id="more than that"),
    pytest.param(RTU[:-1], None, id="half an answer"),
    pytest.param(b"", None, id="nothing"),
    pytest.param(rtu_frame(2, ANSWER), None, id="of another unit"),
    pytest.param(rtu_frame(1, b"\x04" + ANSWER[1:]), None, id="of another table"),
    pytest.param(rtu_frame(1, b"\x03\x02\x42\xf6"), None, id="too short an answer"),
    pytest.param(rtu_frame(1, b"\x03\x06" + ANSWER[2:] + b"\0\0"), None, id="too long an answer"),
]


@pytest.mark.parametrize(("data", "expected"), RTU_LINES)
def test_on_a_serial_line_only_the_answer_counts(data: bytes, expected: bytes | None) -> None:
    heard = hear_rtu(data, ASKED)
    assert (heard.pdu or None) == expected
    assert heard.used == (len(data) if expected else 0)


@given(st.integers(0, len(RTU) * 8 - 1))
def test_one_changed_bit_is_always_noticed_on_a_serial_line(bit: int) -> None:
    changed = bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(RTU))
    assert hear_rtu(changed, ASKED).outcome is Outcome.WAITING


@given(st.binary(max_size=60), st.binary(min_size=4, max_size=4), st.lists(st.integers(1, 80), max_size=5))
def test_an_answer_is_heard_once_it_is_whole_whatever_the_pieces(noise: bytes, data: bytes, cuts: list[int]) -> None:
    frame = rtu_frame(1, b"\x03\x04" + data)
    line = noise + frame
    for end in sorted({cut for cut in cuts if cut < len(line)}):
        heard = hear_rtu(line[:end], ASKED)
        assert heard.outcome is Outcome.WAITING or end < len(noise)
    assert hear_rtu(line, ASKED).pdu == frame[1:-2]
    stream = tcp_frame(7, 1, b"\x03\x04" + data)
    assert all(hear_stream(stream[:end], ASKED) == Heard(0, Outcome.WAITING) for end in range(len(stream)))
    assert hear_stream(stream, ASKED).pdu == stream[7:]


@given(st.binary(max_size=80), st.integers(0, 65535), st.integers(0, 255))
def test_whatever_comes_an_answer_is_as_asked(data: bytes, transaction: int, unit_id: int) -> None:
    heard = hear_stream(data, Question(transaction, unit_id, 4, 2))
    assert 0 <= heard.used <= len(data)
    if heard.outcome is Outcome.ANSWERED:
        assert data.endswith(tcp_frame(transaction, unit_id, heard.pdu))
        assert heard.pdu[0] in (0x04, 0x84)
