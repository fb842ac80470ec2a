"""From arrivals to durable samples: drain, understand, admit, write, and only then acknowledge."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec
import numpy as np
import structlog

from edge_agent.wire.command import encode_acknowledgement, encode_rebirth
from edge_agent.wire.topic import MessageType, Topic
from ingest_service.anomaly.standing import StandingValues
from ingest_service.emissions.minute_tally import MinuteTally
from ingest_service.errors import StoreError
from ingest_service.intake.admission import Admission, Rejection, admit
from ingest_service.intake.arrivals import ArrivalQueue
from ingest_service.intake.counters import IngestCounters
from ingest_service.intake.edge_view import EdgeView
from ingest_service.intake.fleet import Fleet
from ingest_service.intake.gathering import Gathering, Origin
from ingest_service.intake.read_ahead import Packet
from ingest_service.intake.session import REORDER_TIMEOUT_MS
from ingest_service.intake.speaking import Acknowledgements, DueAcknowledgement, RebirthRequests
from ingest_service.store.gaps import GapLog
from ingest_service.store.live import LiveTable
from ingest_service.store.registry import Registry
from ingest_service.store.rejections import RejectionLog
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.admitted import batch_of, columns_of, live_part
from ingest_service.workers.listening import Heap, Listener
from ingest_service.workers.losses import Losses
from ingest_service.workers.owed import OwedAcknowledgements
from ingest_service.workers.refused import Refused

_log = structlog.get_logger(__name__)
MESSAGES_A_STEP = 8_000
STEP_EVERY_S = 0.2
PAUSE_AFTER_ERROR_S = 1.0
SEEN_EVERY_MS = 10_000


class Records(msgspec.Struct, frozen=True):
    """Where the intake writes what it heard: edges and series, samples, what was refused, what is lost."""

    registry: Registry
    store: TimeSeriesStore
    rejections: RejectionLog
    gaps: GapLog


class Current(msgspec.Struct, frozen=True):
    """What is kept in memory of the newest samples: their values, the minutes under way, how values stand."""

    live: LiveTable
    tally: MinuteTally
    standing: StandingValues


class IngestWorker:
    """One thread steps it. `publish` sends packets to the broker, `clock` gives ms since 1970 UTC."""

    def __init__(
        self,
        queue: ArrivalQueue,
        records: Records,
        current: Current,
        publish: Callable[[Sequence[Packet]], None],
        clock: Callable[[], int],
        reorder_timeout_ms: int = REORDER_TIMEOUT_MS,
    ) -> None:
        registry, store = records.registry, records.store
        self._queue, self._registry, self._store, self._current = queue, registry, store, current
        self._publish, self._clock = publish, clock
        self._counters = IngestCounters()
        self._fleet = Fleet(_known_edges(registry), reorder_timeout_ms)
        self._interruptions = queue.interruptions
        self._rebirths = RebirthRequests()
        self._acknowledgements, self._owed = Acknowledgements(), OwedAcknowledgements(store.held)
        self._refused = Refused(self._counters, records.rejections)
        self._losses = Losses(records.gaps, store, registry, self._acknowledgements, self._rebirths)
        self._listener = Listener(
            registry, self._fleet, self._rebirths, self._acknowledgements, self._refused, self._counters
        )
        self._seen_ms: dict[int, int] = {}
        self._seen_written_ms = clock()
        self._problem = ""

    @property
    def problem(self) -> str:
        """Why nothing is made durable now; "" while all is well."""
        return self._problem

    def counters(self) -> IngestCounters:
        """What was done since the start, as it is now."""
        found = self._counters.copy()
        dropped = sum(session.held_back_dropped for session in self._fleet)
        return msgspec.structs.replace(
            found,
            dropped_messages=self._queue.dropped,
            queued_messages=len(self._queue),
            held_back_dropped=dropped,
            gaps_recorded=self._losses.recorded,
        )

    def edges(self) -> list[EdgeView]:
        """Every registered edge, as it is now."""
        return self._fleet.views()

    def run(self, stop: threading.Event) -> None:
        """Step until told to stop."""
        while not stop.is_set():
            started = time.monotonic()
            taken = self.step()
            pause_s = PAUSE_AFTER_ERROR_S if self._problem else STEP_EVERY_S
            if taken < MESSAGES_A_STEP:
                stop.wait(max(0.0, pause_s - (time.monotonic() - started)))

    def step(self, wait_s: float = STEP_EVERY_S) -> int:
        """Handle what has arrived (waiting for something at most `wait_s`); return the number of messages."""
        arrivals = self._queue.take(MESSAGES_A_STEP, wait_s)
        started = time.perf_counter()
        heap = self._listener.hear(arrivals)
        if self._queue.interruptions != self._interruptions:
            self._interruptions = self._queue.interruptions
            self._listener.interrupted(heap)
        now_ms = self._clock()
        self._settle(lambda: self._losses.compare(heap.acknowledged, now_ms))
        if heap.stored.origins:
            self._keep(heap.stored, now_ms, started)
        self._settle(lambda: self._losses.record(heap.gaps))
        self._show(heap, now_ms)
        self._speak(now_ms)
        self._note(now_ms)
        return len(arrivals)

    def _keep(self, gathering: Gathering, now_ms: int, started: float) -> None:
        admission = self._admitted(gathering, now_ms)
        batch = batch_of(gathering, admission, now_ms)
        self._current.tally.add(batch, now_ms)
        try:
            result = self._store.write(batch)
        except StoreError as error:
            self._current.tally.forget(batch.series)
            self._fail(error)
            self._counters.samples_unstored += len(batch)
            return
        self._recover()
        self._counters.samples_stored += result.stored
        self._counters.samples_repeated += result.repeated
        self._counters.batches += 1
        self._counters.last_batch_ms = (time.perf_counter() - started) * 1000
        self._counters.last_commit_at_ms = now_ms
        self._acknowledge(gathering, admission, now_ms + round(self._store.hold_s * 1000))
        live = live_part(batch, gathering, admission)
        self._current.live.update(live, now_ms)
        self._current.standing.add(live)

    def _settle(self, work: Callable[[], None]) -> None:
        """Note losses; where that fails their edges tell them again."""
        try:
            work()
        except StoreError as error:
            self._fail(error)

    def _admitted(self, gathering: Gathering, now_ms: int) -> Admission:
        candidates = gathering.candidates()
        self._counters.samples_received += len(candidates)
        admission = admit(candidates, gathering.origins, now_ms)
        for one in admission.rejected:
            origin = gathering.origins[one.origin]
            named = (origin.session.home, origin.session.edge, origin.device)
            self._refused.samples(one.rejection, named, one.count, now_ms, f"{one.value} at {one.measured_at_ms} ms")
            if one.rejection.asks_for_birth:
                self._rebirths.want(origin.session.home, origin.session.edge)
            origin.session.foreign_messages += one.rejection is Rejection.OTHER_EDGE
        return admission

    def _acknowledge(self, gathering: Gathering, admission: Admission, durable_ms: int) -> None:
        """All blocks of a written batch: those that came again too, and those of which something was rejected."""
        lengths = np.diff(admission.bounds).tolist()
        for origin, length in zip(gathering.origins, lengths, strict=True):
            if origin.block:
                self._acknowledge_block(origin, durable_ms)
                self._counters.acknowledged_blocks += 1
                self._counters.acknowledged_samples += length

    def _acknowledge_block(self, origin: Origin, durable_ms: int) -> None:
        session, outbox = origin.session, self._acknowledgements
        if self._store.hold_s:
            outbox.hold_back(session.home, session.edge, origin.epoch, origin.block, durable_ms)
        else:
            outbox.add(session.home, session.edge, origin.epoch, origin.block)

    def _show(self, heap: Heap, now_ms: int) -> None:
        if heap.shown.origins:
            admission = admit(heap.shown.candidates(), heap.shown.origins, now_ms)
            self._current.live.update(columns_of(admission), now_ms)
        for known in heap.dead.values():
            self._current.live.mark_stale(known.all_series)

    def _speak(self, now_ms: int) -> None:
        said: list[Packet] = []
        owed: list[DueAcknowledgement] = []
        self._settle(self._store.confirm)
        self._settle(lambda: owed.extend(self._owed.due(now_ms)))
        for due in (*self._acknowledgements.due(now_ms), *owed):
            said += self._acknowledged(due, now_ms)
        for session in self._fleet:
            if session.gap_overdue(now_ms):
                self._rebirths.want(session.home, session.edge)
        if len(self._queue) < MESSAGES_A_STEP:
            for home, edge in self._queue.shut_out:
                self._rebirths.want(home, edge)
        for home, edge in self._rebirths.due(now_ms):
            said.append((_command_topic(home, edge), encode_rebirth(now_ms)))
            self._counters.rebirths_requested += 1
            if (found := self._fleet.find(home, edge)) is not None:
                found.rebirths += 1
        self._publish(said)

    def _acknowledged(self, due: DueAcknowledgement, now_ms: int) -> list[Packet]:
        """Not while two edges have copies of one outbox: it would let the other's block go too."""
        session = self._fleet.find(due.home, due.edge)
        if session is None:
            return []
        if not session.identity.may_acknowledge(now_ms):
            self._owed.withhold(session)
            return []
        aliases = session.command_aliases if session.epoch == due.acknowledgement.epoch else None
        payload = encode_acknowledgement(due.acknowledgement, now_ms, aliases)
        return [(_command_topic(due.home, due.edge), payload)]

    def _note(self, now_ms: int) -> None:
        """Rejections and the times when edges were last heard go to the database now and then."""
        try:
            self._refused.flush(now_ms)
            if now_ms - self._seen_written_ms >= SEEN_EVERY_MS:
                self._seen_written_ms = now_ms
                seen = {view.edge_id: view.last_seen_ms for view in self._fleet.views()}
                self._registry.seen({edge: at for edge, at in seen.items() if self._seen_ms.get(edge) != at})
                self._seen_ms = seen
        except StoreError as error:
            self._fail(error)

    def _fail(self, error: StoreError) -> None:
        self._counters.store_errors += 1
        self._acknowledgements.forget_held_back()
        if not self._problem:
            _log.error("store_failed", problem=str(error))
        self._problem = str(error)

    def _recover(self) -> None:
        if self._problem:
            _log.info("store_recovered")
        self._problem = ""


@lru_cache(maxsize=65_536)
def _command_topic(home: str, edge: str) -> str:
    return str(Topic(home, MessageType.NCMD, edge))


def _known_edges(registry: Registry) -> list[EdgeView]:
    return [
        EdgeView(edge_id=row.id, home=row.home_id, edge=row.name, online=False, last_seen_ms=row.last_seen_ms)
        for row in registry.edges()
    ]
