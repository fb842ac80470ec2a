"""What the centre knows of one edge node: is it there, in which order do its messages come, what do they mean. Pure.

Follows the host's part of Sparkplug 3.0: births and deaths (5.4 to 5.9), `bdSeq`, `seq` with a reorder timeout, and a
rebirth asked for whenever a message cannot be understood.
"""

from collections import deque
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from edge_agent.wire.birth import Birth
from edge_agent.wire.command import decode_death
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType, Topic
from ingest_service.intake.device_map import DeviceMap
from ingest_service.intake.edge_view import EdgeView
from ingest_service.intake.identity import Identity
from ingest_service.intake.sequence import Sequencer

REORDER_TIMEOUT_MS = 2_000
_CLOCK_MESSAGES = 31  # of so many newest live messages the one that was quickest tells the clock offset


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of an edge, parsed; `birth` where it is one that was decoded already."""

    topic: Topic
    payload: Payload
    received_at_ms: int
    birth: Birth | None = None

    @property
    def seq(self) -> int:
        """Its place in the order of the edge's messages."""
        return self.payload.seq


class PlainMessage(msgspec.Struct, frozen=True, gc=False):
    """A plain data message: message `at` of `batch` (the number of a scan), or its bytes when that has gone."""

    topic: Topic
    octets: bytes
    received_at_ms: int
    seq: int
    batch: int
    at: int


AnyMessage = Message | PlainMessage


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What to do after a message: handle these in this order, hold these devices for dead, ask for a rebirth."""

    ready: Sequence[AnyMessage] = ()
    dead: Sequence[DeviceMap] = ()
    rebirth: bool = False

    NOTHING: ClassVar["Heard"]


Heard.NOTHING = Heard()


class EdgeSession:
    """One edge node. It is offline until its birth was registered."""

    def __init__(self, home: str, edge: str, *, edge_id: int = 0, reorder_timeout_ms: int = REORDER_TIMEOUT_MS) -> None:
        self.home, self.edge = home, edge
        self.edge_id = edge_id
        self.last_seen_ms = 0
        self.online = False
        self.epoch: int | None = None
        self.command_aliases: tuple[int, int] | None = None
        self.rebirths = 0
        self.identity = Identity()
        self.foreign_messages = 0
        self._bd_seq: int | None = None
        self._devices: dict[str, DeviceMap] = {}
        self._order: Sequencer[AnyMessage] = Sequencer(reorder_timeout_ms)
        self._offsets: deque[int] = deque(maxlen=_CLOCK_MESSAGES)

    def hear(self, message: AnyMessage) -> Heard:
        """Take a message in; what it leads to. Raises ValueError and changes nothing where it is of no use."""
        told = _bd_seq_told(message)
        self.last_seen_ms = message.received_at_ms
        if isinstance(message, PlainMessage):
            return self._in_order(message)
        kind = message.topic.type
        if kind is MessageType.NBIRTH:
            held = self._before_birth(told)
            self.online = False  # until it is registered: the aliases of the birth before it hold no longer
            return Heard(ready=[*held, message])
        if kind is MessageType.NDEATH:
            return self._die(told)
        return self._in_order(message)

    def node_born(self, edge_id: int, birth: Birth, seq: int, node: DeviceMap | None) -> None:
        """The birth of the node was registered: devices must be born after it."""
        self.edge_id, self.epoch, self._bd_seq = edge_id, birth.epoch, birth.bd_seq
        self.command_aliases = birth.command_aliases
        self.online = True
        self._devices = {"": node} if node is not None else {}
        self._order.begin(seq)

    def device_born(self, known: DeviceMap) -> None:
        """The birth of a device was registered."""
        self._devices[known.device] = known

    def forget_device(self, device: str) -> None:
        """Its birth came and is not registered yet: the aliases of the one before it hold no longer."""
        self._devices.pop(device, None)

    def device(self, device: str | None) -> DeviceMap | None:
        """How to read that device's messages (None is the node itself); None when it was not born."""
        return self._devices.get(device or "")

    def lose_link(self) -> Sequence[DeviceMap]:
        """We no longer hear it: the devices of which nothing is known until it is born again (specification 5.3)."""
        dead = list(self._devices.values()) if self.online else []
        self.online = False
        self._order.release()
        return dead

    def refuse_birth(self) -> Sequence[DeviceMap]:
        """Another edge spoke in its name; the devices of which nothing is known until it is born itself."""
        dead, self._devices = list(self._devices.values()), {}
        return dead

    def note_clock(self, sent_at_ms: int, received_at_ms: int) -> None:
        """A live message was sent at that time by the edge's clock."""
        if sent_at_ms:
            self._offsets.append(received_at_ms - sent_at_ms)

    def gap_overdue(self, now_ms: int) -> bool:
        """True when a message has been missing for longer than the reorder timeout, so a rebirth must be asked for."""
        return self.online and self._order.overdue(now_ms)

    @property
    def held_back_dropped(self) -> int:
        """Messages that were held back after a gap and never became clear."""
        return self._order.dropped

    def view(self) -> EdgeView:
        """What people see of it."""
        return EdgeView(
            edge_id=self.edge_id,
            home=self.home,
            edge=self.edge,
            online=self.online,
            last_seen_ms=self.last_seen_ms,
            clock_offset_ms=min(list(self._offsets), default=None),
            best_effort=self.online and self.epoch is None,
            seq_gaps=self._order.gaps,
            rebirths=self.rebirths,
            conflicts=self.identity.conflicts + self.foreign_messages,
        )

    def _in_order(self, message: AnyMessage) -> Heard:
        if not self.online:
            return Heard(rebirth=True)
        self.identity.heard(message.received_at_ms)
        return Heard(ready=self._order.offer(message.seq, message, message.received_at_ms))

    def _before_birth(self, bd_seq: int | None) -> list[AnyMessage]:
        """Held messages can be read with the present births, if the new birth belongs to the same connection."""
        same = self.online and self._bd_seq is not None and bd_seq == self._bd_seq
        return self._order.release() if same else []

    def _die(self, bd_seq: int | None) -> Heard:
        """A death with another bdSeq is that of an earlier connection and says nothing of this one."""
        if not self.online or bd_seq != self._bd_seq:
            return Heard.NOTHING
        self.online = False
        self.identity.died()
        return Heard(ready=self._order.release(), dead=list(self._devices.values()))


def _bd_seq_told(message: AnyMessage) -> int | None:
    """The bdSeq of a node's birth or death, which both must carry. Raises ValueError where there is none."""
    if isinstance(message, PlainMessage) or message.topic.type not in (MessageType.NBIRTH, MessageType.NDEATH):
        return None
    found = decode_death(message.payload)
    if found is None:
        raise ValueError(f"an {message.topic.type} without a bdSeq")
    return found
