"""Stands at the broker itself and remembers which blocks were ever published, for the power cuts' sake."""

import threading
import time
from contextlib import suppress

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.birth import decode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.data import decode_data
from edge_agent.wire.topic import MessageType, Topic, parse_topic

_NEEDED_S = 20.0


class Observer:
    """Knows the blocks of every edge by home, as long as it was connected to the broker itself."""

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._aliases: dict[tuple[str, str | None], int | None] = {}
        self._epochs: dict[str, int] = {}
        self._blocks: dict[str, set[tuple[int, int]]] = {}
        self._connected_s: float | None = None
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="observer")
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._set_connected(time.monotonic())
        self._client.on_disconnect = lambda *_: self._set_connected(None)
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def may_know(self, home: str, epoch: int, block: int) -> bool:
        """True when that block was heard, or may have been said while nobody listened here."""
        with self._lock:
            since_s = self._connected_s
            blind = since_s is None or time.monotonic() - since_s < _NEEDED_S
            return blind or self._epochs.get(home) != epoch or (epoch, block) in self._blocks[home]

    def _subscribe(self, *_: object) -> None:
        self._client.subscribe("spBv1.0/#", 1)

    def _set_connected(self, at_s: float | None) -> None:
        with self._lock:
            self._connected_s = at_s

    def _hear(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with suppress(ValueError), self._lock:  # a STATE is no message of an edge
            topic = parse_topic(message.topic)
            self._understand(topic, bytes(message.payload))

    def _understand(self, topic: Topic, data: bytes) -> None:
        home = topic.group
        if topic.type in (MessageType.NBIRTH, MessageType.DBIRTH):
            birth = decode_birth(parse_payload(data))
            self._aliases[home, topic.device] = birth.block_alias
            if birth.epoch is not None:
                self._epochs[home] = birth.epoch
                self._blocks.setdefault(home, set())
        elif topic.type in (MessageType.NDATA, MessageType.DDATA) and home in self._epochs:
            message = decode_data(parse_payload(data), {}, self._aliases.get((home, topic.device)))
            self._blocks[home].add((self._epochs[home], message.block))
