"""Gathers the samples of many messages into columns, with a note of which rows came from where. Pure."""

from enum import Enum
from itertools import repeat

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.data import Columns
from ingest_service.intake.device_map import DeviceMap
from ingest_service.intake.session import EdgeSession

UNKNOWN = -1  # in place of a series id
_LAST_MS = 2**62  # later times are as far in the future


class Purpose(Enum):
    """What the samples of a message are for."""

    LIVE = "store and show"
    HISTORICAL = "store only"


class Origin(msgspec.Struct, frozen=True):
    """The rows `[start, stop)` of one message. `epoch` and `block` are 0 where its edge numbers no blocks."""

    session: EdgeSession
    source_id: int
    device: str
    epoch: int
    block: int
    purpose: Purpose
    start: int
    stop: int


class Candidates(msgspec.Struct, frozen=True):
    """Samples that ask for admission, as parallel columns; `series` is -1 where the alias or name is unknown."""

    series: NDArray[np.int32]
    measured_at_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    reason: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.series)


class Gathering:
    """Grows by whole messages: nothing is done for a single sample but to append it."""

    def __init__(self) -> None:
        self.origins: list[Origin] = []
        self._series: list[int] = []
        self._measured_at_ms: list[int] = []
        self._values: list[float] = []
        self._reasons: list[int] = []

    def add(self, session: EdgeSession, known: DeviceMap, columns: Columns, block: int, purpose: Purpose) -> None:
        """Append the samples of one message of that device."""
        start = len(self._series)
        self._series.extend(map(known.series.get, columns.keys, repeat(UNKNOWN)))
        self._measured_at_ms.extend(columns.measured_at_ms)
        self._values.extend(columns.values)
        self._reasons.extend(columns.reasons)
        numbered = session.epoch is not None and block > 0
        self.origins.append(
            Origin(
                session,
                known.source_id,
                known.device,
                session.epoch or 0 if numbered else 0,
                block if numbered else 0,
                purpose,
                start,
                len(self._series),
            )
        )

    def candidates(self) -> Candidates:
        """All samples so far."""
        times = np.array(self._measured_at_ms, np.uint64)
        return Candidates(
            np.array(self._series, np.int32),
            np.minimum(times, _LAST_MS).astype(np.int64),
            np.array(self._values, np.float64),
            np.array(self._reasons, np.uint8),
        )
