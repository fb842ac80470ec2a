"""Gathers the samples of many messages into columns, with a note of which rows came from where. Pure."""

from enum import Enum
from itertools import repeat
from operator import attrgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.data import Columns
from edge_agent.wire.sample import Reason
from ingest_service.intake.alias_table import UNKNOWN, AliasTable
from ingest_service.intake.device_map import DeviceMap
from ingest_service.intake.plain import PlainSamples, read_plain
from ingest_service.intake.scanning import Scan
from ingest_service.intake.session import EdgeSession

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


class _Plain(msgspec.Struct, frozen=True):
    """A plain message: its place in the scan, and how it is read."""

    at: int
    session: EdgeSession
    known: DeviceMap
    aliases: AliasTable
    received_at_ms: int


class Gathering:
    """Grows by whole messages, general ones and plain ones of `scanned`: nothing is done for a single sample."""

    def __init__(self, scanned: Scan | None = None) -> None:
        self._scanned = scanned
        self._plain: list[_Plain] = []
        self._read: PlainSamples | None = None
        self._origins: list[Origin] = []
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
        self._origins.append(_origin(session, known, block, purpose, start, len(self._series)))

    def add_plain(
        self, session: EdgeSession, known: DeviceMap, aliases: AliasTable, at: int, received_at_ms: int
    ) -> None:
        """Append the samples of message `at` of the scan, which is plain."""
        self._plain.append(_Plain(at, session, known, aliases, received_at_ms))

    @property
    def origins(self) -> list[Origin]:
        """Where the rows came from, ascending."""
        self._read_plain()
        return self._origins

    def candidates(self) -> Candidates:
        """All samples so far."""
        plain = self._read_plain()
        times = np.array(self._measured_at_ms, np.uint64)
        general = Candidates(
            np.array(self._series, np.int32),
            np.minimum(times, _LAST_MS).astype(np.int64),
            np.array(self._values, np.float64),
            np.array(self._reasons, np.uint8),
        )
        return general if plain is None else _joined(general, plain)

    def _read_plain(self) -> PlainSamples | None:
        """Read the plain messages, once all are known; their rows follow those of the others."""
        if self._read is None and self._plain and self._scanned is not None:
            found = sorted(self._plain, key=attrgetter("at"))
            at = np.fromiter((one.at for one in found), np.int64, len(found))
            self._read = read_plain(self._scanned, at, [one.aliases for one in found])
            self._enter(found, self._scanned.sent_at_ms[at].tolist(), self._read)
        return self._read

    def _enter(self, found: list[_Plain], sent_at_ms: list[int], read: PlainSamples) -> None:
        bounds = (read.bounds + len(self._series)).tolist()
        for at, one in enumerate(found):
            purpose = Purpose.HISTORICAL if read.historical[at] else Purpose.LIVE
            if purpose is Purpose.LIVE:
                one.session.note_clock(sent_at_ms[at], one.received_at_ms)
            span = bounds[at], bounds[at + 1]
            self._origins.append(_origin(one.session, one.known, read.block[at], purpose, *span))


def _origin(session: EdgeSession, known: DeviceMap, block: int, purpose: Purpose, start: int, stop: int) -> Origin:
    numbered = session.epoch is not None and block > 0
    epoch = session.epoch or 0 if numbered else 0
    return Origin(session, known.source_id, known.device, epoch, block if numbered else 0, purpose, start, stop)


def _joined(general: Candidates, plain: PlainSamples) -> Candidates:
    reason = np.full(len(plain), Reason.GOOD, np.uint8)
    if not len(general):
        return Candidates(plain.series, plain.measured_at_ms, plain.value, reason)
    return Candidates(
        np.concatenate([general.series, plain.series]),
        np.concatenate([general.measured_at_ms, plain.measured_at_ms]),
        np.concatenate([general.value, plain.value]),
        np.concatenate([general.reason, reason]),
    )
