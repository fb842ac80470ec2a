"""A centre in a process of its own: counts what an edge sends and acknowledges it four times a second."""

import signal
import sys
import threading
import time
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.birth import decode_birth
from edge_agent.wire.command import Acknowledgement, BlockRange, encode_acknowledgement, parse_payload
from edge_agent.wire.data import decode_data
from edge_agent.wire.gap import FIRST_GAP_BLOCK
from edge_agent.wire.topic import MessageType, Topic, parse_topic

ACKNOWLEDGE_EVERY_S = 0.25


class Arrived(msgspec.Struct):
    """What came. `missing` are block numbers up to the highest that never came."""

    samples: int = 0
    blocks: int = 0
    repeated: int = 0
    historical: int = 0
    gap_records: int = 0
    missing: int = 0


class Centre:
    """Knows one edge node."""

    def __init__(self) -> None:
        self.arrived = Arrived()
        self._seen: set[int] = set()
        self._fresh: set[int] = set()
        self._block_aliases: dict[str | None, int | None] = {}
        self._epoch = 0
        self._commands = ""

    def hear(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        topic = parse_topic(message.topic)
        payload = parse_payload(bytes(message.payload))
        if topic.type in (MessageType.NBIRTH, MessageType.DBIRTH):
            birth = decode_birth(payload)
            self._epoch = birth.epoch or self._epoch
            self._block_aliases[topic.device] = birth.block_alias
            self._commands = str(Topic(topic.group, MessageType.NCMD, topic.edge))
        elif topic.type in (MessageType.NDATA, MessageType.DDATA):
            data = decode_data(payload, {}, self._block_aliases.get(topic.device))
            self._count(data.block, len(data.columns.keys), data.historical)

    def acknowledge(self, client: mqtt.Client) -> None:
        if self._fresh:
            fresh, self._fresh = self._fresh, set()
            acknowledged = Acknowledgement(self._epoch, ranges_of(sorted(fresh)))
            client.publish(self._commands, encode_acknowledgement(acknowledged, time.time_ns() // 1_000_000))

    def result(self) -> Arrived:
        self.arrived.missing = max(self._seen, default=0) - len(self._seen)
        return self.arrived

    def _count(self, block: int, samples: int, historical: bool) -> None:
        self._fresh.add(block)
        if block >= FIRST_GAP_BLOCK:
            self.arrived.gap_records += 1
            return
        self.arrived.repeated += block in self._seen
        self.arrived.historical += historical
        if block not in self._seen:
            self.arrived.samples += samples
            self.arrived.blocks += 1
        self._seen.add(block)


def ranges_of(numbers: list[int]) -> tuple[BlockRange, ...]:
    ranges: list[BlockRange] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def subscribe(client: mqtt.Client, *_: Any) -> None:
    client.subscribe("spBv1.0/#", 0)


def main(port: int) -> None:
    """Hear until SIGTERM, then print what came as one line of JSON."""
    centre, ended = Centre(), False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="centre")
    client.on_connect = subscribe
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = centre.hear
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    subscribed.wait(10)
    print("ready", flush=True)
    while not ended:
        time.sleep(ACKNOWLEDGE_EVERY_S)
        centre.acknowledge(client)
    client.loop_stop()
    print(msgspec.json.encode(centre.result()).decode(), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
