"""Data types and byte orders as lists write them."""

import re

import msgspec

from edge_agent.devices.register_list.cells import CellError, squeezed, unified
from edge_agent.devices.register_list.vocabulary import by_word, vocabulary
from edge_agent.modbus.value import Order, ValueType

ALLOWED = "REAL, LREAL, INT, UINT, WORD, DINT, UDINT, DWORD, LINT, ULINT, BOOL, BCD, STRING[n], FLOAT32, INT16, ..."
_BY_WORD = {word: ValueType(name) for word, name in by_word(vocabulary().types).items()}
_SIZED = re.compile(r"(?P<bits>8|16|32|64)(?:bit|bits|位)|(?:float|int|fp)(?P<behind>16|32|64)")
_BY_BITS = {
    "float": {16: ValueType.FLOAT16, 32: ValueType.FLOAT32, 64: ValueType.FLOAT64},
    "signed": {16: ValueType.INT16, 32: ValueType.INT32, 64: ValueType.INT64},
    "unsigned": {16: ValueType.UINT16, 32: ValueType.UINT32, 64: ValueType.UINT64},
}
_TEXT_LENGTH = re.compile(r"(?:string|char|ascii|字符串)[\[(]?(?P<bytes>\d+)[\])]?")
_ORDER_IN_TYPE = re.compile(r"\b(abcd|cdab|badc|dcba)(?:efgh|ghef)?\b")
_BY_ORDER = {word: Order(name) for word, name in by_word(vocabulary().orders).items()}


class DataType(msgspec.Struct, frozen=True):
    """A type; `length` (registers) for text and wide BCD, `order` where the type's name says it."""

    type: ValueType
    length: int | None = None
    order: Order | None = None


def parse_type(text: str) -> DataType:
    """The type in a cell. Raises CellError."""
    plain = unified(text)
    order = _order_in(plain)
    if found := _TEXT_LENGTH.fullmatch(plain.replace(" ", "")):
        return DataType(ValueType.STRING, -(-int(found["bytes"]) // 2), order)
    word = squeezed(_ORDER_IN_TYPE.sub(" ", plain))
    if word == "bcd32":
        return DataType(ValueType.BCD, 2, order)
    kind = _BY_WORD.get(word) or _by_size(word)
    if kind is None:
        raise CellError(f'unknown type "{text}"' if text else "is missing", ALLOWED)
    return DataType(kind, 1 if kind is ValueType.BCD else None, order)


def parse_order(text: str) -> Order:
    """The byte order in a cell. Raises CellError."""
    plain = squeezed(text)
    if (order := _BY_ORDER.get(plain)) is not None:
        return order
    try:
        return Order(plain.upper())
    except ValueError as error:
        raise CellError(f'unknown byte order "{text}"', ", ".join(Order)) from error


def _order_in(plain: str) -> Order | None:
    if found := _ORDER_IN_TYPE.search(plain):
        return Order(found[1].upper())
    return Order.CDAB if re.search(r"inverse|swapped|\bsw\b", plain) else None


def _by_size(word: str) -> ValueType | None:
    """`16位无符号整数`, `32-bit float`, `unsigned int 16`: a size and what it holds."""
    word = re.sub("inverse|swapped", "", word)
    if word in _BY_WORD:
        return _BY_WORD[word]
    if (found := _SIZED.search(word)) is None:
        return None
    bits = int(found["bits"] or found["behind"])
    if re.search("float|real|浮点|实数", word):
        return _BY_BITS["float"].get(bits)
    is_unsigned = re.search("unsigned|uint|无符号|word|字", word)
    return _BY_BITS["unsigned" if is_unsigned else "signed"].get(bits)
