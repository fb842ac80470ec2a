"""How the data messages of one device are read: which series an alias or a name means, by its newest birth. Pure."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.birth import Birth
from edge_agent.wire.data import Columns, decode_data
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason
from edge_agent.wire.sparkplug_b_pb2 import Payload
from ingest_service.intake.alias_table import AliasTable, alias_table

Key = int | str


class DeviceMap(msgspec.Struct, frozen=True):
    """Series ids and data types by alias and by name; `block_alias` is None where blocks are not numbered.

    `gap_alias` is that of gap records, None where there are none (they belong to the node).
    `aliases` says the same of the aliases for many messages at once, where that pays.
    """

    source_id: int
    device: str
    series: dict[Key, int]
    datatypes: dict[Key, DataType]
    block_alias: int | None
    all_series: NDArray[np.int32]
    aliases: AliasTable | None = None
    gap_alias: int | None = None


def device_map(birth: Birth, source_id: int, device: str, ids: Mapping[str, int]) -> DeviceMap:
    """Read the birth with the series ids that its channels were given."""
    series: dict[Key, int] = {}
    datatypes: dict[Key, DataType] = {}
    for channel in birth.channels:
        keys: tuple[Key, ...] = (channel.name,) if channel.alias is None else (channel.name, channel.alias)
        for key in keys:
            series[key] = ids[channel.name]
            datatypes[key] = channel.datatype
    everything = np.unique(np.fromiter(series.values(), np.int32, len(series)))
    by_alias = {key: series_id for key, series_id in series.items() if isinstance(key, int)}
    aliases = alias_table(by_alias, {alias: datatypes[alias] for alias in by_alias}, birth.block_alias)
    return DeviceMap(source_id, device, series, datatypes, birth.block_alias, everything, aliases, birth.gap_alias)


def birth_values(payload: Payload, known: DeviceMap) -> Columns:
    """The values that came with a birth; channels that have none yet (stale) and what is no channel are left out."""
    found = decode_data(payload, known.datatypes, known.block_alias).columns
    kept = [at for at, key in enumerate(found.keys) if key in known.series and found.reasons[at] != Reason.STALE]
    return Columns(
        keys=[found.keys[at] for at in kept],
        measured_at_ms=[found.measured_at_ms[at] for at in kept],
        values=[found.values[at] for at in kept],
        reasons=[found.reasons[at] for at in kept],
        texts=[],
    )
