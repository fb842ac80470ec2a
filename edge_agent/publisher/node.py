"""One edge node's Sparkplug messages with their topics and sequence numbers (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import msgspec
from msgspec.structs import replace

from edge_agent.outbox import Block, TagName, ValueKind
from edge_agent.outbox.block import NODE
from edge_agent.publisher.pacing import Lane
from edge_agent.wire.birth import AcknowledgedRange, Birth, command_aliases, encode_birth
from edge_agent.wire.command import encode_death, encode_device_death
from edge_agent.wire.data import encode_data, mark_of
from edge_agent.wire.gap import NumberedGap, encode_gap
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType, Topic

SEQUENCE = 256


class Message(msgspec.Struct, frozen=True):
    """What is published; never retained."""

    topic: str
    payload: bytes
    qos: int = 0


class NodeBirths(msgspec.Struct, frozen=True):
    """The births of the node itself and of its devices by name, without samples."""

    node: Birth
    devices: Mapping[str, Birth]


class Node:
    """The messages of one edge node in the order in which they are asked for: each takes the next seq."""

    def __init__(self, group: str, edge: str, births: NodeBirths) -> None:
        self._group, self._edge = group, edge
        self._latest: dict[int, Sample] = {}
        self._seq = self._mark = 0
        self._know(births)

    @property
    def command_aliases(self) -> tuple[int, int] | None:
        """By which aliases a command names the outbox and its blocks."""
        return self._command_aliases

    @property
    def command_topic(self) -> str:
        """Where the node hears commands."""
        return str(Topic(self._group, MessageType.NCMD, self._edge))

    @property
    def client_id(self) -> str:
        """How the node is known to the broker: two agents of one identity meet there."""
        return f"{self._group}-{self._edge}"

    @property
    def devices(self) -> Set[str]:
        """The names of the devices that are announced."""
        return self._births.devices.keys()

    def use_births(self, births: NodeBirths) -> None:
        """Other births from here on: last values go with their tags, and the node has to be born anew."""
        before, aliases = tag_names(self._births), {name: alias for alias, name in tag_names(births).items()}
        moved = [(aliases.get(before[alias]), sample) for alias, sample in self._latest.items()]
        self._latest = {alias: replace(sample, alias=alias) for alias, sample in moved if alias is not None}
        self._know(births)

    def remember(self, blocks: Iterable[Block]) -> None:
        """Keep the last value of every channel for later births."""
        for block in blocks:
            self._latest.update((sample.alias, sample) for sample in block.samples)

    def births(
        self,
        bd_seq: int,
        epoch: int,
        now_ms: int,
        acknowledged: tuple[AcknowledgedRange, ...] = (),
    ) -> Iterator[Message]:
        """NBIRTH with seq 0, then a DBIRTH for every device.

        A device that is down is announced all the same, so that its history can be understood. `acknowledged` lets a
        centre that was restored from an old copy see what it has lost.
        """
        self._seq, self._mark = 0, mark_of(epoch)
        node = replace(self._births.node, bd_seq=bd_seq, epoch=epoch, acknowledged=acknowledged)
        yield self._birth(MessageType.NBIRTH, None, node, now_ms)
        for device in self._births.devices:
            yield self.device_birth(device, now_ms)

    def device_birth(self, device: str, now_ms: int) -> Message:
        """The DBIRTH of a device with its last values."""
        return self._birth(MessageType.DBIRTH, device, self._births.devices[device], now_ms)

    def device_death(self, device: str, now_ms: int) -> Message:
        """The DDEATH of a device."""
        return self._message(MessageType.DDEATH, device, encode_device_death(self._next_seq(), now_ms))

    def data(self, block: Block, lane: Lane, now_ms: int) -> Message:
        """The NDATA or DDATA of one block."""
        payload = encode_data(
            block.samples,
            self._datatypes[block.device],
            seq=self._next_seq(),
            sent_at_ms=now_ms,
            block=block.number,
            block_alias=self._by_device[block.device].block_alias or 0,
            historical=lane is Lane.HISTORY,
            mark=self._mark,
        )
        return self._message(MessageType.DDATA if block.device else MessageType.NDATA, block.device or None, payload)

    def gap(self, record: NumberedGap, now_ms: int) -> Message | None:
        """The NDATA of one gap record; None where the births announce none."""
        node = self._births.node
        if node.gap_alias is None or node.block_alias is None:
            return None
        payload = encode_gap(
            record,
            seq=self._next_seq(),
            sent_at_ms=now_ms,
            block_alias=node.block_alias,
            gap_alias=node.gap_alias,
            mark=self._mark,
        )
        return self._message(MessageType.NDATA, None, payload)

    def death(self, bd_seq: int, now_ms: int) -> Message:
        """The NDEATH, as will or as farewell: at QoS 1 and without a seq."""
        return self._message(MessageType.NDEATH, None, encode_death(bd_seq, now_ms), qos=1)

    def _know(self, births: NodeBirths) -> None:
        self._births = births
        self._command_aliases = command_aliases(replace(births.node, bd_seq=0, epoch=0))
        self._by_device = {NODE: births.node, **births.devices}
        self._datatypes = {name: _datatypes(birth) for name, birth in self._by_device.items()}

    def _birth(self, kind: MessageType, device: str | None, birth: Birth, now_ms: int) -> Message:
        known = (self._latest.get(channel.alias or 0) for channel in birth.channels)
        filled = replace(birth, samples=tuple(sample for sample in known if sample))
        return self._message(kind, device, encode_birth(filled, self._next_seq(), now_ms))

    def _message(self, kind: MessageType, device: str | None, payload: bytes, qos: int = 0) -> Message:
        return Message(str(Topic(self._group, kind, self._edge, device)), payload, qos)

    def _next_seq(self) -> int:
        seq, self._seq = self._seq, (self._seq + 1) % SEQUENCE
        return seq


def tag_names(births: NodeBirths) -> dict[int, TagName]:
    """What each alias stands for."""
    named: Sequence[tuple[str, Birth]] = ((NODE, births.node), *births.devices.items())
    return {
        channel.alias: TagName(device, channel.name, _kind(channel.datatype))
        for device, birth in named
        for channel in birth.channels
        if channel.alias is not None
    }


def _kind(datatype: DataType) -> ValueKind:
    return ValueKind.TEXT if datatype in (DataType.STRING, DataType.TEXT) else ValueKind.NUMBER


def _datatypes(birth: Birth) -> dict[int, DataType]:
    return {channel.alias: channel.datatype for channel in birth.channels if channel.alias is not None}
