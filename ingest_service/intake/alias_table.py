"""What the aliases of a device mean as a table, so that the samples of many devices are looked up at once. Pure."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from edge_agent.wire.metric import DataType
from ingest_service.columns import Bytes, Int32s, Int64s

UNKNOWN = -1  # in place of a series id
BLOCK = -2  # in place of a series id: the number of the message's block
FOREIGN = -3  # in place of a series id: the message is that of another edge of the same name

_WIDEST, _HOLES = 4_096, 8  # a table wider than this has at most so many places an alias


class AliasTable(msgspec.Struct, frozen=True):
    """Series id (or UNKNOWN, BLOCK) and data type (0 for unknown) of the aliases from `low` on."""

    low: int
    series: Int32s
    datatype: Bytes


_NOTHING = AliasTable(0, np.full(1, UNKNOWN, np.int32), np.zeros(1, np.uint8))  # whose one place says: unknown


class Meanings(msgspec.Struct, frozen=True):
    """Of every row: series id (or UNKNOWN, BLOCK) and data type (0 for unknown)."""

    series: Int32s
    datatype: Bytes


def alias_table(
    series: Mapping[int, int], datatypes: Mapping[int, DataType], block_alias: int | None
) -> AliasTable | None:
    """The table of one device; None where its aliases lie so far apart that a table would be wasteful."""
    aliases = [*series, *(() if block_alias is None else (block_alias,))]
    low, high = min(aliases, default=0), max(aliases, default=0)
    if high - low > _WIDEST + _HOLES * len(aliases):
        return None
    table = AliasTable(low, np.full(high - low + 1, UNKNOWN, np.int32), np.zeros(high - low + 1, np.uint8))
    for alias, series_id in series.items():
        table.series[alias - low], table.datatype[alias - low] = series_id, datatypes[alias]
    if block_alias is not None:
        table.series[block_alias - low] = BLOCK
    return table


def look_up(tables: Sequence[AliasTable], lengths: Int64s, alias: Int64s) -> Meanings:
    """What each alias means, where the first `lengths[0]` rows are of the device of `tables[0]`, and so on."""
    places: dict[int, int] = {}
    distinct = [_NOTHING]
    for table in tables:
        if places.setdefault(id(table), len(distinct)) == len(distinct):
            distinct.append(table)
    of = np.fromiter((places[id(table)] for table in tables), np.int64, len(tables))
    sizes = np.array([len(table.series) for table in distinct], np.int64)
    begins = np.cumsum(sizes) - sizes
    lows = np.array([table.low for table in distinct], np.int64)
    at = alias - np.repeat(lows[of], lengths)
    inside = (at >= 0) & (at < np.repeat(sizes[of], lengths))
    at = np.where(inside, at + np.repeat(begins[of], lengths), 0)
    series = np.concatenate([table.series for table in distinct])[at]
    datatype = np.concatenate([table.datatype for table in distinct])[at]
    return Meanings(series, datatype)
