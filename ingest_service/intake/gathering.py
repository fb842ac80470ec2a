"""Gathers the samples of many messages into columns, with a note of which rows came from where. Pure."""

from enum import Enum
from itertools import repeat
from operator import attrgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.data import Columns, mark_of
from edge_agent.wire.sample import Reason
from ingest_service.intake.alias_table import FOREIGN, UNKNOWN, AliasTable
from ingest_service.intake.device_map import DeviceMap
from ingest_service.intake.plain import PlainSamples, read_plain
from ingest_service.intake.scanning import Scan, joined, scan
from ingest_service.intake.session import EdgeSession

_LAST_MS = 2**62  # later times are as far in the future


class Purpose(Enum):
    """What the samples of a message are for."""

    LIVE = "store and show"
    HISTORICAL = "store only"


class Origin(msgspec.Struct, frozen=True, gc=False):
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


class _Plain(msgspec.Struct, frozen=True, gc=False):
    """A plain message: its place in the scan, and how it is read."""

    at: int
    session: EdgeSession
    known: DeviceMap
    aliases: AliasTable
    epoch: int | None
    received_at_ms: int


class Gathering:
    """Grows by whole messages, general ones and plain ones of `scanned`: nothing is done for a single sample."""

    def __init__(self, scanned: Scan | None = None) -> None:
        self._scanned = scanned or scan(())
        self._plain: list[_Plain] = []
        self._octets: list[bytes] = []  # of plain messages that were scanned with an earlier batch
        self._read: PlainSamples | None = None
        self._origins: list[Origin] = []
        self._series: list[int] = []
        self._measured_at_ms: list[int] = []
        self._values: list[float] = []
        self._reasons: list[int] = []

    def add(
        self,
        session: EdgeSession,
        known: DeviceMap,
        columns: Columns,
        block: int,
        purpose: Purpose,
        mark: int = 0,
    ) -> None:
        """Append the samples of one message of that device; `mark` tells from which outbox its block is."""
        start, foreign = len(self._series), is_foreign(session.epoch, mark)
        series = repeat(FOREIGN, len(columns.keys)) if foreign else map(known.series.get, columns.keys, repeat(UNKNOWN))
        self._series.extend(series)
        self._measured_at_ms.extend(columns.measured_at_ms)
        self._values.extend(columns.values)
        self._reasons.extend(columns.reasons)
        epoch = None if foreign else session.epoch
        self._origins.append(_origin(session, epoch, known, block, purpose, start, len(self._series)))

    def add_plain(
        self, session: EdgeSession, known: DeviceMap, aliases: AliasTable, at: int, received_at_ms: int
    ) -> None:
        """Append the samples of message `at` of the scan, which is plain."""
        self._plain.append(_Plain(at, session, known, aliases, session.epoch, received_at_ms))

    def add_again(
        self, session: EdgeSession, known: DeviceMap, aliases: AliasTable, octets: bytes, received_at_ms: int
    ) -> None:
        """Append the samples of a plain message that was scanned with an earlier batch: it is scanned again."""
        at = len(self._scanned.plain) + len(self._octets)
        self._octets.append(octets)
        self._plain.append(_Plain(at, session, known, aliases, session.epoch, received_at_ms))

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
        if self._read is None and self._plain:
            scanned = joined([self._scanned, scan(self._octets)]) if self._octets else self._scanned
            found = sorted(self._plain, key=attrgetter("at"))
            at = np.fromiter((one.at for one in found), np.int64, len(found))
            self._read = read_plain(scanned, at, [one.aliases for one in found])
            self._enter(found, scanned.sent_at_ms[at].tolist(), self._read)
        return self._read

    def _enter(self, found: list[_Plain], sent_at_ms: list[int], read: PlainSamples) -> None:
        bounds = (read.bounds + len(self._series)).tolist()
        for at, one in enumerate(found):
            purpose = Purpose.HISTORICAL if read.historical[at] else Purpose.LIVE
            if purpose is Purpose.LIVE:
                one.session.note_clock(sent_at_ms[at], one.received_at_ms)
            span, epoch = (bounds[at], bounds[at + 1]), one.epoch
            if is_foreign(epoch, read.mark[at]):
                read.series[read.bounds[at] : read.bounds[at + 1]] = FOREIGN
                epoch = None
            self._origins.append(_origin(one.session, epoch, one.known, read.block[at], purpose, *span))


def is_foreign(epoch: int | None, mark: int) -> bool:
    """True for a block that tells that it is not from the outbox of the edge's birth."""
    return mark != 0 and epoch is not None and mark != mark_of(epoch)


def _origin(
    session: EdgeSession, epoch: int | None, known: DeviceMap, block: int, purpose: Purpose, start: int, stop: int
) -> Origin:
    numbered = epoch is not None and block > 0
    named = (epoch or 0, block) if numbered else (0, 0)
    return Origin(session, known.source_id, known.device, *named, purpose, start, stop)


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
