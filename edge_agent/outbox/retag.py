"""A changed site file gives aliases to other channels: what waits in the outbox keeps its meaning."""

import sqlite3
from collections.abc import Mapping
from enum import StrEnum, unique

import msgspec
from msgspec.structs import replace

from edge_agent.outbox.block import decode_samples, encode_samples
from edge_agent.wire.gap import Gap, GapReason
from edge_agent.wire.sample import Sample


@unique
class ValueKind(StrEnum):
    """What a tag's values are."""

    NUMBER = "number"
    TEXT = "text"


class TagName(msgspec.Struct, frozen=True):
    """What an alias stands for: a channel of a device ("" for the node)."""

    device: str
    channel: str
    kind: ValueKind


def use_tags(database: sqlite3.Connection, tags: Mapping[int, TagName]) -> list[Gap]:
    """Give waiting samples the aliases that their tags have now (inside a transaction).

    Returns a gap for each block that held samples of tags which are no longer there.
    """
    rows = database.execute("SELECT alias, device, channel, kind FROM tag").fetchall()
    before = {alias: TagName(device, channel, ValueKind(kind)) for alias, device, channel, kind in rows}
    if before == tags:
        return []
    aliases = {name: alias for alias, name in tags.items()}
    moved = {alias: aliases.get(name) for alias, name in before.items()}
    gone = {alias: before[alias].channel for alias, now in moved.items() if now is None}
    gaps = [] if all(old == new for old, new in moved.items()) else _move(database, moved, gone)
    database.execute("DELETE FROM tag")
    database.executemany(
        "INSERT INTO tag VALUES (?, ?, ?, ?)",
        [(alias, name.device, name.channel, name.kind.value) for alias, name in tags.items()],
    )
    return gaps


def _move(database: sqlite3.Connection, moved: Mapping[int, int | None], gone: Mapping[int, str]) -> list[Gap]:
    gaps = []
    numbers = [row[0] for row in database.execute("SELECT number FROM block ORDER BY number")]
    for number in numbers:
        row = database.execute("SELECT device, from_ms, to_ms, samples FROM block WHERE number = ?", (number,))
        device, from_ms, to_ms, packed = row.fetchone()
        samples = decode_samples(packed)
        kept = tuple(_renamed(samples, moved))
        if len(kept) < len(samples):
            lost = len(samples) - len(kept)
            channels = tuple(sorted({gone[sample.alias] for sample in samples if sample.alias in gone}))
            gaps.append(Gap(device, from_ms, to_ms, lost, GapReason.NOT_CONFIGURED, channels))
        database.execute(
            "UPDATE block SET samples = ?, count = ? WHERE number = ?", (encode_samples(kept), len(kept), number)
        )
    database.execute("DELETE FROM block WHERE count = 0")
    return gaps


def _renamed(samples: tuple[Sample, ...], moved: Mapping[int, int | None]) -> list[Sample]:
    pairs = ((sample, moved.get(sample.alias, sample.alias)) for sample in samples)
    return [replace(sample, alias=alias) for sample, alias in pairs if alias is not None]
