"""Payloads that parse nearly: what is not right in one place is refused as a whole, not taken for something else."""

import pytest

from edge_agent.wire.birth import decode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.sparkplug_b_pb2 import Payload


def payload_with(metric: bytes) -> bytes:
    """A payload of one metric, by its encoded fields."""
    return b"\x12" + bytes([len(metric)]) + metric + b"\x18\x00"


@pytest.mark.parametrize(
    "metric",
    [
        pytest.param(b"\x0a\x05bdS\xb0q\x20\x04\x58\x00", id="a name"),
        pytest.param(b"\x0a\x01a\x20\x0c\x7a\x02\xff\xfe", id="a text value"),
        pytest.param(b"\x0a\x01a\x4a\x04\x0a\x02\xc3\x28", id="the key of a property"),
    ],
)
def test_text_that_is_no_utf_8_is_garbage(metric: bytes) -> None:
    with pytest.raises(ValueError, match="not a Sparkplug B payload"):
        decode_birth(parse_payload(payload_with(metric)))


def test_the_same_with_text_that_is_utf_8_parses() -> None:
    assert parse_payload(payload_with(b"\x0a\x06\xe7\x82\x89\xe6\xb8\xa9\x20\x04\x58\x00")).metrics[0].name == "炉温"


def test_a_value_that_is_there_is_told_from_one_that_is_not() -> None:
    found = Payload.FromString(payload_with(b"\x0a\x01a\x58\x00")).metrics[0]
    assert (found.WhichOneof("value"), found.HasField("alias"), found.HasField("name")) == ("long_value", False, True)
