"""One Sparkplug metric: data types, values and properties (specification 3.0, section 6.4)."""

import struct
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

from edge_agent.wire.sparkplug_b_pb2 import Metric, PropertySet

Scalar = float | int | bool | str


class DataType(IntEnum):
    """The Sparkplug data types that we write or read; the numbers are the specification's."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    BYTES = 17
    UINT64_ARRAY = 29


_INT_BITS: dict[int, int] = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_IN_INT_VALUE = {DataType.INT8, DataType.INT16, DataType.INT32, DataType.UINT8, DataType.UINT16, DataType.UINT32}
_IN_LONG_VALUE = {DataType.INT64, DataType.UINT64, DataType.DATETIME}


def set_value(metric: Metric, datatype: DataType, value: Scalar) -> None:
    """Write a value in the field that its data type asks for; signed integers as two's complement."""
    if datatype is DataType.DOUBLE:
        metric.double_value = float(value)
    elif datatype is DataType.FLOAT:
        metric.float_value = float(value)
    elif datatype is DataType.BOOLEAN:
        metric.boolean_value = bool(value)
    elif datatype in _IN_INT_VALUE:
        metric.int_value = int(value) & 0xFFFFFFFF
    elif datatype in _IN_LONG_VALUE:
        metric.long_value = int(value) & 0xFFFFFFFFFFFFFFFF
    else:
        metric.string_value = str(value)


def get_value(metric: Metric, datatype: int) -> Scalar | None:
    """The value in its Python type, or None where the metric is null or holds no scalar."""
    field = metric.WhichOneof("value")
    if field is None or metric.is_null:
        return None
    if field in ("int_value", "long_value"):
        raw: int = getattr(metric, field)
        return _signed(raw, _INT_BITS.get(datatype))
    if field in ("double_value", "float_value", "boolean_value", "string_value"):
        scalar: Scalar = getattr(metric, field)
        return scalar
    return None


def _signed(raw: int, bits: int | None) -> int:
    """Read the low bits as two's complement; unsigned where no width is given."""
    if bits is None:
        return raw
    raw &= (1 << bits) - 1
    return raw - (1 << bits) if raw >> (bits - 1) else raw


def add_property(properties: PropertySet, key: str, value: str | float | int) -> None:
    """Append one property: text as String, integers as Int32, other numbers as Double."""
    properties.keys.append(key)
    entry = properties.values.add()
    if isinstance(value, str):
        entry.type, entry.string_value = DataType.STRING, value
    elif isinstance(value, int):
        entry.type, entry.int_value = DataType.INT32, value & 0xFFFFFFFF
    else:
        entry.type, entry.double_value = DataType.DOUBLE, value


@lru_cache(maxsize=8_192)
def read_properties(octets: bytes) -> Mapping[str, Scalar]:
    """The scalar properties of a serialised property set by key.

    Read once: the same ones come again with every device of a type and at every birth.
    """
    found: dict[str, Scalar] = {}
    properties = PropertySet.FromString(octets)
    for key, entry in zip(properties.keys, properties.values, strict=False):
        field = entry.WhichOneof("value")
        if entry.is_null or field not in ("int_value", "long_value", "double_value", "float_value", "string_value"):
            continue
        found[key] = _signed(entry.int_value, 32) if field == "int_value" else getattr(entry, field)
    return MappingProxyType(found)


def pack_uint64s(numbers: list[int]) -> bytes:
    """Numbers as in a UInt64Array: little-endian, 8 bytes each (specification 6.4.17)."""
    return struct.pack(f"<{len(numbers)}Q", *numbers)


def unpack_uint64s(packed: bytes) -> list[int]:
    """The numbers of a UInt64Array. Raises ValueError when the length is no multiple of 8."""
    if len(packed) % 8:
        raise ValueError(f"a UInt64Array has {len(packed)} bytes, no multiple of 8")
    return list(struct.unpack(f"<{len(packed) // 8}Q", packed))
