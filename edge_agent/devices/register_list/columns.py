"""Which column of a list holds what, by its heading in Chinese or English."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from edge_agent.devices.register_list.cells import squeezed
from edge_agent.devices.register_list.vocabulary import by_word, vocabulary


class Column(StrEnum):
    """What a column holds; the values are the keys of `--map heading=key`."""

    NAME = "name"
    NAME_ZH = "name_zh"
    NAME_EN = "name_en"
    ADDRESS = "address"
    TABLE = "table"
    TYPE = "type"
    ORDER = "order"
    BIT = "bit"
    LENGTH = "length"
    UNIT = "unit"
    SCALE = "scale"
    OFFSET = "offset"
    DECIMALS = "decimals"
    RAW_RANGE = "raw_range"
    RANGE = "range"
    LOW = "low"
    HIGH = "high"
    COMMENT = "comment"


_BY_HEADING = {heading: Column(name) for heading, name in by_word(vocabulary().columns).items()}


def column_of(heading: str, mapped: Mapping[str, Column]) -> Column | None:
    """What a column holds; `mapped` (by squeezed heading) comes first."""
    plain = squeezed(heading)
    return mapped.get(plain) or _BY_HEADING.get(plain)


def find_columns(headings: Sequence[str], mapped: Mapping[str, Column]) -> dict[Column, int]:
    """The position of each column that is known; of two with one meaning the first counts."""
    found: dict[Column, int] = {}
    for position, heading in enumerate(headings):
        column = column_of(heading, mapped)
        if column is not None:
            found.setdefault(column, position)
    return found


def unused_headings(headings: Sequence[str], used: Iterable[int]) -> list[str]:
    """The headings of the columns that nothing is taken from."""
    taken = set(used)
    return [heading for position, heading in enumerate(headings) if heading and position not in taken]
