"""A small Sparkplug host for tests: hears edges through a real broker, acknowledges as told, asks for births."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.birth import Birth, decode_birth
from edge_agent.wire.command import Acknowledgement, encode_acknowledgement, encode_rebirth, parse_payload
from edge_agent.wire.data import DataMessage, decode_data
from edge_agent.wire.metric import DataType
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import NAMESPACE, MessageType, Topic, parse_topic, state_topic
from tests.support.waiting import PATIENCE_S, wait_until

Choice = Callable[["Heard"], bool]


class Heard(msgspec.Struct, frozen=True):
    """One message of the edge; `data` is set for NDATA and DDATA, `birth` for NBIRTH and DBIRTH."""

    topic: Topic
    payload: Payload
    qos: int
    retained: bool
    data: DataMessage | None = None
    birth: Birth | None = None

    @property
    def type(self) -> MessageType:
        """The message's type."""
        return self.topic.type


def everything(_: Heard) -> bool:
    """Acknowledge each block."""
    return True


def nothing(_: Heard) -> bool:
    """Acknowledge no block."""
    return False


class TestHost:
    """Hears all that edges say. `acknowledges` decides for each data message whether its block is acknowledged."""

    __test__ = False

    def __init__(self, port: int, acknowledges: Choice = everything) -> None:
        self.heard: list[Heard] = []
        self.acknowledges = acknowledges
        self.epoch = 0
        self._types: dict[int | str, DataType] = {}
        self._block_aliases: dict[str | None, int | None] = {}
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="test-host", clean_session=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._port = port

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        if not self._ready.wait(PATIENCE_S):
            raise TimeoutError("the broker did not answer")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of(self, *types: MessageType) -> list[Heard]:
        """The messages of these types so far."""
        return [heard for heard in self.heard if heard.type in types]

    def data(self, device: str | None = None) -> list[DataMessage]:
        """The data messages of a device (None: of the node) so far."""
        return [heard.data for heard in list(self.heard) if heard.data and heard.topic.device == device]

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        wait_until(condition)

    def send(self, topic: Topic, payload: bytes, qos: int = 0) -> None:
        """Publish a command, or garbage."""
        self._client.publish(str(topic), payload, qos)

    def say_state(self, host: str, payload: bytes) -> None:
        """Speak in the name of a host application, as it would: retained, at QoS 1."""
        self._client.publish(state_topic(host), payload, 1, retain=True)

    def ask_rebirth(self, command: Topic) -> None:
        """Ask the node for its births."""
        self.send(command, encode_rebirth(_now_ms()))

    def acknowledge(self, command: Topic, *numbers: int, epoch: int | None = None) -> None:
        """Acknowledge blocks by their numbers."""
        ranges = tuple((number, number) for number in numbers)
        acknowledgement = Acknowledgement(self.epoch if epoch is None else epoch, ranges)
        self.send(command, encode_acknowledgement(acknowledgement, _now_ms()))

    def _on_connect(self, *_: Any) -> None:
        self._client.subscribe("spBv1.0/#", 1)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic.startswith(f"{NAMESPACE}/STATE/"):
            return
        topic = parse_topic(message.topic)
        if topic.type is MessageType.NCMD:
            return
        heard = self._understood(topic, parse_payload(bytes(message.payload)), message)
        self.heard.append(heard)
        if heard.data and heard.data.block and self.acknowledges(heard):
            self.acknowledge(Topic(topic.group, MessageType.NCMD, topic.edge), heard.data.block)

    def _understood(self, topic: Topic, payload: Payload, message: mqtt.MQTTMessage) -> Heard:
        plain = Heard(topic, payload, message.qos, message.retain)
        if topic.type in (MessageType.NBIRTH, MessageType.DBIRTH):
            birth = decode_birth(payload)
            self.epoch = birth.epoch or self.epoch
            self._block_aliases[topic.device] = birth.block_alias
            self._types.update((channel.alias or channel.name, channel.datatype) for channel in birth.channels)
            return msgspec.structs.replace(plain, birth=birth)
        if topic.type in (MessageType.NDATA, MessageType.DDATA):
            data = decode_data(payload, self._types, self._block_aliases.get(topic.device))
            return msgspec.structs.replace(plain, data=data)
        return plain


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
