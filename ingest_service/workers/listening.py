"""Understands arrivals: births are registered, deaths make stale, data is gathered for admission."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress

import msgspec

from edge_agent.wire.birth import Birth, decode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.data import DataMessage, decode_data, mark_of
from edge_agent.wire.gap import decode_gap
from edge_agent.wire.topic import MessageType, Topic, parse_topic
from ingest_service.errors import RejectedMessage, StoreError
from ingest_service.intake.admission import Rejection
from ingest_service.intake.arrivals import Arrival
from ingest_service.intake.counters import IngestCounters
from ingest_service.intake.device_map import DeviceMap, birth_values, device_map
from ingest_service.intake.fleet import Fleet
from ingest_service.intake.gathering import Gathering, Purpose, is_foreign
from ingest_service.intake.identity import Claim
from ingest_service.intake.scanning import Scan, scan
from ingest_service.intake.session import AnyMessage, EdgeSession, Message, PlainMessage
from ingest_service.intake.speaking import Acknowledgements, RebirthRequests
from ingest_service.store.registry import Registry
from ingest_service.workers.births import Births, register_together
from ingest_service.workers.losses import HeardAcknowledged, HeardGap
from ingest_service.workers.refused import NOWHERE, Refused

_DDATA, _NDATA = f"/{MessageType.DDATA}/", f"/{MessageType.NDATA}/"
_topic = lru_cache(maxsize=65_536)(parse_topic)
_COMMANDS = {MessageType.NCMD, MessageType.DCMD}


class Heap:
    """What a batch of arrivals led to: samples to store, birth values only to show, and devices that are dead now.

    Also gap records, and what births say to have been acknowledged.
    `scanned` are the batch's data payloads, read at once, `births` its births by payload; `number` tells it from other
    batches.
    """

    def __init__(self, number: int, scanned: Scan, births: Births) -> None:
        self.number = number
        self.births = births
        self.stored = Gathering(scanned)
        self.shown = Gathering()
        self.dead: dict[tuple[str, str, str], DeviceMap] = {}
        self.gaps: list[HeardGap] = []
        self.acknowledged: list[HeardAcknowledged] = []


class _Plain(msgspec.Struct, frozen=True, gc=False):
    """A data message that could be scanned: its place among them, and its seq."""

    at: int
    seq: int


_NO_PLACE = (0, (False, 0))


class Listener:
    """Of one thread. Nothing that an edge sends makes it raise."""

    def __init__(
        self,
        registry: Registry,
        fleet: Fleet,
        rebirths: RebirthRequests,
        acknowledgements: Acknowledgements,
        refused: Refused,
        counters: IngestCounters,
    ) -> None:
        self._registry = registry
        self._fleet = fleet
        self._rebirths = rebirths
        self._acknowledgements = acknowledgements
        self._refused = refused
        self._counters = counters
        self._batches = 0

    def hear(self, arrivals: Sequence[Arrival]) -> Heap:
        """Take messages in. Where the database fails at a birth, the edge is asked for it again."""
        data = [_DDATA in arrival.topic or _NDATA in arrival.topic for arrival in arrivals]
        scanned = scan([arrival.payload for arrival in compress(arrivals, data)])
        self._batches += 1
        heap = Heap(self._batches, scanned, register_together(self._registry, arrivals))
        places = enumerate(zip(scanned.plain.tolist(), scanned.seq.tolist(), strict=True))
        for arrival, is_data in zip(arrivals, data, strict=True):
            at, (is_plain, seq) = next(places) if is_data else _NO_PLACE
            self._one(arrival, _Plain(at, seq) if is_plain else None, heap)
        return heap

    def interrupted(self, heap: Heap) -> None:
        """The connection was lost: nothing is known of any edge until it is born again."""
        for session in self._fleet:
            for known in session.lose_link():
                heap.dead[session.home, session.edge, known.device] = known

    def _one(self, arrival: Arrival, plain: _Plain | None, heap: Heap) -> None:
        self._counters.messages += 1
        try:
            topic = _topic(arrival.topic)
        except ValueError as error:
            self._refused.message(Rejection.BAD_TOPIC, NOWHERE, arrival.received_at_ms, str(error))
            return
        if topic.type not in _COMMANDS:
            self._hear(topic, arrival, plain, heap)

    def _hear(self, topic: Topic, arrival: Arrival, plain: _Plain | None, heap: Heap) -> None:
        birth = topic.type is MessageType.NBIRTH
        session = (self._fleet.session if birth else self._fleet.find)(topic.group, topic.edge)
        try:
            message = _message(topic, arrival, plain, heap)
            heard = session.hear(message) if session is not None else None
        except (ValueError, OverflowError) as error:
            self._refuse(Rejection.GARBAGE_PAYLOAD, topic, arrival.received_at_ms, error)
            return
        if session is None or heard is None or heard.rebirth:
            self._put_aside(Rejection.UNKNOWN_EDGE, topic)
            return
        for ready in heard.ready:
            self._handle(session, ready, heap)
        for known in heard.dead:
            self._bury(session, known, heap)

    def _handle(self, session: EdgeSession, message: AnyMessage, heap: Heap) -> None:
        try:
            if isinstance(message, Message):
                self._understand(session, message, heap)
            else:
                self._plain(session, message, heap)
        except (ValueError, OverflowError) as error:
            self._refuse(Rejection.GARBAGE_PAYLOAD, message.topic, message.received_at_ms, error)
        except RejectedMessage as error:
            self._refuse(Rejection.BAD_NAME, message.topic, message.received_at_ms, error)
        except StoreError:
            self._counters.store_errors += 1
            self._rebirths.want(session.home, session.edge)

    def _understand(self, session: EdgeSession, message: Message, heap: Heap) -> None:
        match message.topic.type:
            case MessageType.DDATA | MessageType.NDATA:
                self._data(session, message, heap)
            case MessageType.NBIRTH:
                self._node_birth(session, message, heap)
            case MessageType.DBIRTH:
                self._device_birth(session, message, heap)
            case MessageType.DDEATH:
                self._device_death(session, message, heap)

    def _data(self, session: EdgeSession, message: Message, heap: Heap) -> None:
        known = session.device(message.topic.device)
        if known is None:
            self._put_aside(Rejection.UNKNOWN_DEVICE, message.topic)
            return
        data = decode_data(message.payload, known.datatypes, known.block_alias)
        if not data.historical:
            session.note_clock(data.sent_at_ms, message.received_at_ms)
        if known.gap_alias is not None and any(key == known.gap_alias for key, _, _ in data.columns.texts):
            self._gap(session, data, message, heap)
            return
        for key, _, text in data.columns.texts[:1]:
            origin = (session.home, session.edge, known.device)
            count = len(data.columns.texts)
            self._refused.samples(Rejection.TEXT_VALUE, origin, count, message.received_at_ms, f"{key}: {text}")
        purpose = Purpose.HISTORICAL if data.historical else Purpose.LIVE
        heap.stored.add(session, known, data.columns, data.block, purpose, data.mark)

    def _gap(self, session: EdgeSession, data: DataMessage, message: Message, heap: Heap) -> None:
        """A gap record; one that makes no sense is refused, and acknowledged so that it does not come for ever."""
        epoch = session.epoch
        if epoch is None or data.mark not in (0, mark_of(epoch)):
            return
        if is_foreign(session.epoch, data.mark):
            session.foreign_messages += 1
            self._put_aside(Rejection.OTHER_EDGE, message.topic)
            return
        try:
            record = decode_gap(data.block, data.columns.texts[0][2])
        except ValueError:
            self._acknowledgements.add(session.home, session.edge, epoch, data.block)
            raise
        heap.gaps.append(HeardGap(session, epoch, record, message.received_at_ms))

    def _plain(self, session: EdgeSession, message: PlainMessage, heap: Heap) -> None:
        """A message that was scanned with this batch, or with an earlier one and held back since then."""
        known = session.device(message.topic.device)
        if known is None:
            self._put_aside(Rejection.UNKNOWN_DEVICE, message.topic)
        elif known.aliases is not None and message.batch == heap.number:
            heap.stored.add_plain(session, known, known.aliases, message.at, message.received_at_ms)
        elif known.aliases is not None:
            heap.stored.add_again(session, known, known.aliases, message.octets, message.received_at_ms)
        else:
            parsed = Message(message.topic, parse_payload(message.octets), message.received_at_ms)
            self._data(session, parsed, heap)

    def _node_birth(self, session: EdgeSession, message: Message, heap: Heap) -> None:
        birth = message.birth or decode_birth(message.payload)
        claim = session.identity.claim(birth.epoch, birth.bd_seq, message.received_at_ms)
        if claim is Claim.REFUSED:
            self._refuse_birth(session, birth, message, heap)
            return
        row = self._registry.register_node(session.home, session.edge, birth, message.received_at_ms)
        node = None
        if birth.channels or birth.gap_alias is not None:
            source = self._registry.register_device(session.home, session.edge, "", birth)
            node = device_map(birth, source.id, "", source.series)
        session.node_born(row.id, birth, message.payload.seq, node)
        if birth.epoch is not None and birth.acknowledged:
            heap.acknowledged.append(HeardAcknowledged(session, birth.epoch, birth.acknowledged))
        self._rebirths.born(session.home, session.edge)
        self._counters.births += 1
        if node is not None:
            self._welcome(session, node, message, heap)

    def _refuse_birth(self, session: EdgeSession, birth: Birth, message: Message, heap: Heap) -> None:
        """Another edge of the same name: what it says is not heard until its own name is given to it."""
        known_as = f"outbox {birth.epoch or 0:016x} beside {session.epoch or 0:016x}"
        origin = (session.home, session.edge, "")
        self._refused.message(Rejection.OTHER_EDGE, origin, message.received_at_ms, known_as)
        for known in session.refuse_birth():
            heap.dead[session.home, session.edge, known.device] = known

    def _device_birth(self, session: EdgeSession, message: Message, heap: Heap) -> None:
        device = message.topic.device or ""
        session.forget_device(device)
        birth = message.birth or decode_birth(message.payload)
        source = self._registry.register_device(session.home, session.edge, device, birth)
        known = device_map(birth, source.id, device, source.series)
        session.device_born(known)
        self._counters.births += 1
        self._welcome(session, known, message, heap)

    def _welcome(self, session: EdgeSession, known: DeviceMap, message: Message, heap: Heap) -> None:
        """First values are shown; they are stored only where no block will bring them."""
        heap.dead.pop((session.home, session.edge, known.device), None)
        target = heap.stored if session.epoch is None else heap.shown
        target.add(session, known, birth_values(message.payload, known), 0, Purpose.LIVE)

    def _device_death(self, session: EdgeSession, message: Message, heap: Heap) -> None:
        known = session.device(message.topic.device)
        if known is not None:
            self._bury(session, known, heap)

    def _bury(self, session: EdgeSession, known: DeviceMap, heap: Heap) -> None:
        self._counters.deaths += 1
        heap.dead[session.home, session.edge, known.device] = known

    def _put_aside(self, rejection: Rejection, topic: Topic) -> None:
        self._refused.unclear(rejection)
        self._rebirths.want(topic.group, topic.edge)

    def _refuse(self, rejection: Rejection, topic: Topic, now_ms: int, error: Exception) -> None:
        """Only edges that are registered are named, so that strangers cannot fill the table."""
        self._counters.decode_errors += rejection is Rejection.GARBAGE_PAYLOAD
        known = self._fleet.find(topic.group, topic.edge)
        registered = known is not None and known.edge_id
        origin = (topic.group, topic.edge, topic.device or "") if registered else NOWHERE
        self._refused.message(rejection, origin, now_ms, f"{topic}: {error}")


def _message(topic: Topic, arrival: Arrival, plain: _Plain | None, heap: Heap) -> AnyMessage:
    if plain is not None:
        return PlainMessage(topic, arrival.payload, arrival.received_at_ms, plain.seq, heap.number, plain.at)
    birth = heap.births.get(arrival.payload)
    return Message(topic, parse_payload(arrival.payload), arrival.received_at_ms, birth)
