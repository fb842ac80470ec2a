"""What an edge or a host said over the line, read for the rules to be held against it."""

import msgspec

from edge_agent.wire.sparkplug_b_pb2 import Metric, Payload
from edge_agent.wire.topic import NAMESPACE, MessageType, Topic, parse_topic
from tests.support.mqtt_packets import (
    Connect,
    Kind,
    Packet,
    Publish,
    read_connect,
    read_publish,
    read_subscribe,
)

NBIRTH, NDEATH, NDATA, NCMD = MessageType.NBIRTH, MessageType.NDEATH, MessageType.NDATA, MessageType.NCMD
DBIRTH, DDEATH, DDATA, DCMD = MessageType.DBIRTH, MessageType.DDEATH, MessageType.DDATA, MessageType.DCMD
BIRTHS, DATA = (NBIRTH, DBIRTH), (NDATA, DDATA)
SEQUENCED = (*BIRTHS, *DATA, DDEATH)


class Said(msgspec.Struct, frozen=True):
    """One Sparkplug message of a node or about it, as it was published."""

    connection: int
    at_ms: int
    topic: Topic
    payload: Payload
    qos: int
    retain: bool

    @property
    def type(self) -> MessageType:
        """The message's type."""
        return self.topic.type

    def metric(self, name: str) -> Metric:
        """The only metric of that name. Raises ValueError where there is not just one."""
        [found] = [metric for metric in self.payload.metrics if metric.name == name]
        return found


class Line:
    """The packets of one client in the order in which it sent them; connections are counted from 1."""

    def __init__(self, packets: list[Packet]) -> None:
        self.packets = packets
        self.levels = {one.connection: read_connect(one).level for one in packets if one.kind == Kind.CONNECT}

    def connects(self) -> list[Connect]:
        """The CONNECT packets."""
        return [read_connect(packet) for packet in self.packets if packet.kind == Kind.CONNECT]

    def subscribed(self, connection: int) -> list[tuple[str, int]]:
        """Topics and QoS of a connection's subscriptions."""
        chosen = [one for one in self.packets if one.kind == Kind.SUBSCRIBE and one.connection == connection]
        return [pair for packet in chosen for pair in read_subscribe(packet, self.levels[connection])]

    def published(self) -> list[tuple[Packet, Publish]]:
        """Every PUBLISH."""
        chosen = [packet for packet in self.packets if packet.kind == Kind.PUBLISH]
        return [(packet, read_publish(packet, self.levels[packet.connection])) for packet in chosen]

    def said(self, *types: MessageType, device: str | None = None) -> list[Said]:
        """The Sparkplug messages of these types (all where none is named), of one device where it is named."""
        found = [
            Said(
                packet.connection,
                packet.at_ms,
                parse_topic(one.topic),
                Payload.FromString(one.payload),
                one.qos,
                one.retain,
            )
            for packet, one in self.published()
            if not one.topic.startswith(f"{NAMESPACE}/STATE/")
        ]
        chosen = [one for one in found if not types or one.type in types]
        return [one for one in chosen if device is None or one.topic.device == device]

    def kinds(self, connection: int) -> list[int]:
        """The packet types of a connection in order."""
        return [packet.kind for packet in self.packets if packet.connection == connection]
