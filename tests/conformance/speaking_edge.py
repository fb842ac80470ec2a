"""An edge node that a test plays over a real broker: well behaved or not, as the test wants."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from msgspec.structs import replace
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.birth import Birth, ChannelBirth, command_aliases, encode_birth
from edge_agent.wire.command import Command, decode_command, encode_death, encode_device_death
from edge_agent.wire.data import encode_data, mark_of
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType, Topic
from tests.support.waiting import PATIENCE_S

DEVICE, FURNACE = "plc", "F1"
CO, O2, BLOCK_ALIAS = 101, 102, 100
DATATYPES = {CO: DataType.DOUBLE, O2: DataType.DOUBLE, 199: DataType.DOUBLE}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class SpeakingEdge:
    """One node, one device, two channels. What it hears is in `commands`; `raw` has payloads with QoS and retain."""

    def __init__(self, port: int, home: str, epoch: int | None = 77, bd_seq: int = 0, edge: str = "gateway") -> None:
        self.home, self.edge, self.epoch, self.bd_seq = home, edge, epoch, bd_seq
        self.seq = self._latest_ms = 0
        self.commands: list[Command] = []
        self.raw: list[tuple[bytes, int, bool]] = []
        self.node = Birth(channels=(), block_alias=None if epoch is None else 1, bd_seq=bd_seq, epoch=epoch)
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, clean_session=True)
        self._client.will_set(str(self.topic(MessageType.NDEATH)), encode_death(bd_seq, now_ms()), qos=1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        if not self._subscribed.wait(PATIENCE_S):
            raise TimeoutError("the broker did not answer")

    @property
    def acknowledged(self) -> set[int]:
        """The blocks of its outbox that were acknowledged so far."""
        found = [one.acknowledgement for one in list(self.commands) if one.acknowledgement]
        pairs = [pair for one in found if one.epoch == self.epoch for pair in one.ranges]
        return {block for first, last in pairs for block in range(first, last + 1)}

    @property
    def rebirths(self) -> int:
        """How often its births were asked for."""
        return sum(one.rebirth for one in list(self.commands))

    def topic(self, kind: MessageType) -> Topic:
        """The topic of its messages of a type."""
        return Topic(self.home, kind, self.edge, DEVICE if kind.is_device else None)

    def be_born(self, first: tuple[Sample, ...] = (), co: int = CO, o2: int = O2) -> None:
        """NBIRTH and DBIRTH; the aliases of its channels may be others than before."""
        self.node_born()
        self.device_born(first, co, o2)

    def node_born(self) -> None:
        """The NBIRTH alone."""
        self.seq = 0
        node = replace(self.node, bd_seq=self.bd_seq)
        self.say(MessageType.NBIRTH, encode_birth(node, self._next(), now_ms()))

    def device_born(self, first: tuple[Sample, ...] = (), co: int = CO, o2: int = O2) -> None:
        """The DBIRTH alone."""
        channels = tuple(
            ChannelBirth(name=name, alias=alias, datatype=DataType.DOUBLE, unit="%", quantity=quantity, period_s=600.0)
            for name, alias, quantity in (("co", co, "co"), ("o2", o2, "flue_o2"))
        )
        alias = None if self.epoch is None else BLOCK_ALIAS
        birth = Birth(channels=channels, samples=first, attributes={"Furnace": FURNACE}, block_alias=alias)
        self.say(MessageType.DBIRTH, encode_birth(birth, self._next(), now_ms()))

    def data(self, block: int, value: float, alias: int = CO, at_ms: int | None = None) -> bytes:
        """The payload of a DDATA with one sample, which takes the next seq and is not sent."""
        mark = 0 if self.epoch is None else mark_of(self.epoch)
        self._latest_ms = max(now_ms(), self._latest_ms + 1)
        return encode_data(
            [Sample(alias, self._latest_ms if at_ms is None else at_ms, value)],
            DATATYPES,
            seq=self._next(),
            sent_at_ms=now_ms(),
            block=block,
            block_alias=BLOCK_ALIAS,
            historical=False,
            mark=mark,
        )

    def send(self, block: int, value: float, alias: int = CO, at_ms: int | None = None) -> None:
        """Say one sample."""
        self.say(MessageType.DDATA, self.data(block, value, alias, at_ms))

    def device_dies(self) -> None:
        """DDEATH."""
        self.say(MessageType.DDEATH, encode_device_death(self._next(), now_ms()))

    def die(self, bd_seq: int | None = None) -> None:
        """NDEATH, with another bdSeq if one is given."""
        self.say(MessageType.NDEATH, encode_death(self.bd_seq if bd_seq is None else bd_seq, now_ms()), qos=1)

    def say(self, kind: MessageType, payload: bytes, qos: int = 0) -> None:
        """Publish a payload under its name."""
        self._client.publish(str(self.topic(kind)), payload, qos).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        """Leave without a word; the will is not said either."""
        self._client.disconnect()
        self._client.loop_stop()

    def _next(self) -> int:
        seq, self.seq = self.seq, (self.seq + 1) % 256
        return seq

    def _on_connect(self, *_: Any) -> None:
        self._client.subscribe(str(self.topic(MessageType.NCMD)), 1)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.raw.append((payload, message.qos, message.retain))
        self.commands.append(decode_command(payload, command_aliases(self.node)))


@contextmanager
def speaking(
    port: int, home: str, epoch: int | None = 77, bd_seq: int = 0, edge: str = "gateway"
) -> Iterator[SpeakingEdge]:
    """An edge that is connected and not born yet."""
    edge_node = SpeakingEdge(port, home, epoch, bd_seq, edge)
    try:
        yield edge_node
    finally:
        edge_node.close()
