"""What never comes: gap records of the edges, and blocks that were acknowledged here and are gone since."""

from collections.abc import Iterable, Sequence

import msgspec
import structlog

from edge_agent.wire.birth import AcknowledgedRange
from edge_agent.wire.command import BlockRange
from edge_agent.wire.gap import Gap, GapReason, NumberedGap
from ingest_service.errors import StoreError
from ingest_service.intake.session import EdgeSession
from ingest_service.intake.speaking import Acknowledgements, RebirthRequests
from ingest_service.store.gaps import GapLog, GapRow
from ingest_service.store.registry import Registry
from ingest_service.store.rows import SourceRow
from ingest_service.store.timeseries import TimeSeriesStore

_log = structlog.get_logger(__name__)


class HeardGap(msgspec.Struct, frozen=True):
    """A gap record of an edge, as it came; `epoch` is that of the outbox that numbered it."""

    session: EdgeSession
    epoch: int
    record: NumberedGap
    received_at_ms: int


class HeardAcknowledged(msgspec.Struct, frozen=True):
    """What a birth says to have been acknowledged of the blocks of an outbox."""

    session: EdgeSession
    epoch: int
    ranges: Sequence[AcknowledgedRange]


class Losses:
    """Of one thread. Nothing is acknowledged, nor held for good, before its gap record is durable."""

    def __init__(
        self,
        log: GapLog,
        store: TimeSeriesStore,
        registry: Registry,
        acknowledgements: Acknowledgements,
        rebirths: RebirthRequests,
    ) -> None:
        self._log, self._store, self._registry = log, store, registry
        self._acknowledgements, self._rebirths = acknowledgements, rebirths
        self.recorded = 0

    def compare(self, births: Iterable[HeardAcknowledged], now_ms: int) -> None:
        """Record what edges let go because we held it, and what we do not hold: this store is an old copy of itself.

        To be called before data that came after these births is written. Raises StoreError; the births that were not
        compared are then asked for again.
        """
        for birth in births:
            try:
                self._compare(birth, now_ms)
            except StoreError:
                self._rebirths.want(birth.session.home, birth.session.edge)
                raise

    def record(self, heard: Sequence[HeardGap]) -> None:
        """Keep gap records and acknowledge them. Raises StoreError, and their edges send them again."""
        rows = [
            GapRow(one.session.edge_id, one.epoch, one.record.number, one.record.gap, one.received_at_ms)
            for one in heard
            if not self._is_held(one)
        ]
        self.recorded += self._log.add(rows)
        for one in heard:
            self._acknowledgements.add(one.session.home, one.session.edge, one.epoch, one.record.number)

    def _is_held(self, heard: HeardGap) -> bool:
        """True where the edge took for lost what had reached us, because our word did not reach the edge."""
        gap = heard.record.gap
        if not gap.first_block:
            return False
        return not without((gap.first_block, gap.last_block), self._store.held(heard.session.edge_id, gap.epoch))

    def _compare(self, birth: HeardAcknowledged, now_ms: int) -> None:
        edge_id = birth.session.edge_id
        held = self._store.held(edge_id, birth.epoch)
        lost = [(one, without((one.first, one.last), held)) for one in birth.ranges]
        found = [(one, pieces) for one, pieces in lost if pieces]
        if not found:
            return
        if self._store.is_shared and not held:
            self._take_over(birth)
            return
        rows = [row for one, pieces in found for row in self._rows(birth, one, pieces, now_ms)]
        self.recorded += self._log.add(rows)
        gone = [piece for _, pieces in found for piece in pieces]
        self._store.hold(edge_id, birth.epoch, gone)
        _log.error("held_blocks_missing", home=birth.session.home, edge=birth.session.edge, blocks=gone)

    def _take_over(self, birth: HeardAcknowledged) -> None:
        """Another service has had these blocks and written them to the store that we share: nothing is lost."""
        ranges = [(one.first, one.last) for one in birth.ranges]
        self._store.hold(birth.session.edge_id, birth.epoch, ranges)
        _log.info("edge_taken_over", home=birth.session.home, edge=birth.session.edge, blocks=ranges)

    def _rows(
        self, birth: HeardAcknowledged, acknowledged: AcknowledgedRange, lost: Sequence[BlockRange], now_ms: int
    ) -> list[GapRow]:
        """One gap a device, from its newest sample that is left; one of the whole edge where no device is known."""
        session, first, last = birth.session, lost[0][0], lost[-1][1]
        known = [one for one in self._registry.sources() if (one.home, one.edge) == (session.home, session.edge)]
        begins = {one.device: self._begin_ms(one, acknowledged) for one in known if one.device}
        to_ms, reason = acknowledged.to_ms, GapReason.CENTRE_RESTORED
        return [
            GapRow(session.edge_id, birth.epoch, first, gap, now_ms)
            for device, from_ms in (begins or {"": acknowledged.from_ms}).items()
            for gap in [Gap(device, from_ms, to_ms, 0, reason, (), birth.epoch, first, last)]
        ]

    def _begin_ms(self, source: SourceRow, acknowledged: AcknowledgedRange) -> int:
        newest = self._store.latest(list(source.series.values()))
        newest_ms = int(newest.measured_at_ms.max()) if len(newest) else 0
        if not acknowledged.from_ms <= newest_ms < acknowledged.to_ms:
            return acknowledged.from_ms
        return newest_ms + 1


def without(whole: BlockRange, held: Sequence[BlockRange]) -> list[BlockRange]:
    """The parts of `whole` that lie in none of `held` (ascending); both ends are included everywhere. Pure."""
    parts: list[BlockRange] = []
    first, last = whole
    for held_first, held_last in held:
        if held_last < first:
            continue
        if held_first > last:
            break
        if held_first > first:
            parts.append((first, held_first - 1))
        first = held_last + 1
    return [*parts, (first, last)] if first <= last else parts
