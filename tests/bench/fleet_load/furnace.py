"""The furnace that every simulated edge measures: 40 channels, and loops of values for them."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.birth import ChannelBirth
from edge_agent.wire.metric import DataType

FURNACES_AN_EDGE = 4
BLOCK_ALIAS = 1_000  # aliases of an edge are two bytes each, so every message has the same length
ROWS = 601  # scans after which values repeat; prime, so that furnaces do not run in step
COUNTER = "scan_counter"
COUNTER_FROM = 2**21  # so that the counter and the block numbers are four bytes each


class Tag(msgspec.Struct, frozen=True):
    """A channel: values wander about `level` by some `spread`, in steps of `step` (all in its unit)."""

    name: str
    datatype: DataType
    level: float = 0.0
    spread: float = 0.0
    step: float = 0.1
    quantity: str = ""
    basis: str = ""


_MEASURED = (
    Tag("co", DataType.FLOAT, 60.0, 8.0, 0.1, "co", "dry_standard"),
    Tag("flue_o2", DataType.FLOAT, 9.0, 0.5, 0.01, "flue_o2"),
    Tag("so2", DataType.FLOAT, 12.0, 2.0, 0.1, "so2", "dry_standard"),
    Tag("nox", DataType.FLOAT, 110.0, 9.0, 0.1, "nox", "dry_standard"),
    Tag("hcl", DataType.FLOAT, 15.0, 2.0, 0.1, "hcl", "dry_standard"),
    Tag("dust", DataType.FLOAT, 11.0, 1.5, 0.1, "dust", "dry_standard"),
    Tag("stack_moisture", DataType.FLOAT, 8.0, 0.4, 0.1, "stack_moisture"),
    Tag("chamber1", DataType.DOUBLE, 840.0, 12.0, 0.1, "chamber1_temperature"),
    Tag("chamber2", DataType.DOUBLE, 905.0, 9.0, 0.1, "chamber2_temperature"),
)


def tags() -> list[Tag]:
    """The 40 channels: 30 that wander, six states, a phase, two totals and a counter of scans. The first is CO."""
    wandering = [Tag(f"analog_{at:02}", DataType.FLOAT, 20.0 + at, 1.0 + at / 10) for at in range(15)]
    scaled = [Tag(f"scaled_{at}", DataType.DOUBLE, 100.0 * (at + 1), 3.0) for at in range(6)]
    states = [Tag(f"state_{at}", DataType.BOOLEAN) for at in range(6)]
    totals = [Tag(f"total_{at}", DataType.DOUBLE, 50_000.0) for at in range(2)]
    phase = Tag("phase", DataType.UINT16, 4.0, quantity="phase")
    return [*_MEASURED, *wandering, *scaled, *states, phase, *totals, Tag(COUNTER, DataType.UINT64)]


def channels(furnace: int) -> tuple[ChannelBirth, ...]:
    """The birth of the channels of the n-th furnace of an edge."""
    first = BLOCK_ALIAS + 1 + furnace * 64
    return tuple(
        ChannelBirth(
            name=tag.name,
            alias=first + at,
            datatype=tag.datatype,
            quantity=tag.quantity,
            basis=tag.basis,
            period_s=10.0,
        )
        for at, tag in enumerate(tags())
    )


def loops(seed: int) -> NDArray[np.float64]:
    """Three loops of scans, (3, ROWS, 40): the usual one, one with CO that stands still, one with CO over its limit.

    What wanders is correlated noise in whole steps; the counter is left to the sender.
    """
    noise = np.random.default_rng(seed)
    usual = np.stack([_column(tag, noise) for tag in tags()], axis=1)
    stuck, over = usual.copy(), usual.copy()
    stuck[:, 0] = 61.5
    over[:, 0] += 200.0
    return np.stack([usual, stuck, over])


def _column(tag: Tag, noise: np.random.Generator) -> NDArray[np.float64]:
    if tag.datatype is DataType.BOOLEAN:
        return (np.arange(ROWS) // 120 % 2).astype(np.float64)
    if not tag.spread:
        return np.full(ROWS, tag.level)
    shocks = noise.normal(0.0, 1.0, ROWS)
    wandering = np.zeros(ROWS)
    for at in range(1, ROWS):
        wandering[at] = 0.9 * wandering[at - 1] + 0.44 * shocks[at]
    return np.asarray(np.round((tag.level + tag.spread * wandering) / tag.step) * tag.step)
