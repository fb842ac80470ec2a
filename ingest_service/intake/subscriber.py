"""Hears the broker as a Sparkplug host application, on threads of its own. The service's only MQTT.

Session (specification 3.0, 5.3 and 6.4.27): clean session; the will says offline, retained, at QoS 1; first subscribe,
then say online with the will's timestamp; whoever says offline in our name while we run is contradicted.
"""

import random
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.wire.command import HostState, decode_state, encode_state
from edge_agent.wire.mqtt import MqttVersion
from edge_agent.wire.topic import NAMESPACE, state_topic
from ingest_service.intake.arrivals import Arrival, ArrivalQueue
from ingest_service.intake.read_ahead import Packet, ReadAhead, ReadAheadClient

_log = structlog.get_logger(__name__)
_STATES = f"{NAMESPACE}/STATE/"
_NCMD, _DCMD = "/NCMD/", "/DCMD/"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_CONNECT_TIMEOUT_S = 10.0
_FAREWELL_TIMEOUT_S = 2.0


class BrokerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and how to enter it; files are PEM, "" where there is none."""

    host: str
    port: int
    host_id: str
    topics: Sequence[str]
    keepalive_s: int = 15
    username: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    mqtt: MqttVersion = MqttVersion.V3_1_1


class Subscriber:
    """Puts every message of an edge in the queue. `clock` gives ms since 1970 UTC."""

    def __init__(self, address: BrokerAddress, queue: ArrivalQueue, clock: Callable[[], int]) -> None:
        self._address = address
        self._queue = queue
        self._clock = clock
        self._state_topic = state_topic(address.host_id)
        self._stopping = threading.Event()
        self._lost = threading.Event()
        self._online = threading.Event()
        self._client: Client | None = None
        self._born_ms = 0
        self._was_up = False
        self._trouble = ""
        self._thread = threading.Thread(target=self._serve, name="subscriber", daemon=True)

    @property
    def online(self) -> bool:
        """True while connected, subscribed and announced."""
        return self._online.is_set()

    def start(self) -> None:
        """Begin to connect, and go on trying until `stop`."""
        self._thread.start()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 0, from any thread. What cannot be sent now is dropped: it is asked for again."""
        client = self._client
        if client is not None and self.online:
            client.publish(topic, payload, qos=0)

    def publish_all(self, packets: Sequence[Packet]) -> None:
        """The same for many at once; the last one goes through the library, which takes the others along."""
        client = self._client
        if client is None or not packets:
            return
        connection = client.socket()
        if isinstance(connection, ReadAhead) and self.online:
            connection.publish(packets[:-1])
            packets = packets[-1:]
        for packet in packets:
            self.publish(*packet)

    def stop(self) -> None:
        """Say offline, disconnect, end the threads."""
        self._stopping.set()
        client = self._client
        if client is not None and self.online:
            farewell = self._say(client, HostState(online=False, timestamp=self._clock()))
            with suppress(RuntimeError, ValueError):  # the link broke meanwhile: the will says it
                farewell.wait_for_publish(_FAREWELL_TIMEOUT_S)
        self._lost.set()
        if self._thread.is_alive():
            self._thread.join()

    def _serve(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            pause_s = _FIRST_PAUSE_S if self._hold_connection() else min(2 * pause_s, _LONGEST_PAUSE_S)
            # Jitter, so that centres that lost the same broker do not come back in step.
            self._stopping.wait(pause_s * random.uniform(0.5, 1.5))

    def _hold_connection(self) -> bool:
        """Connect and stay until the link is lost; return whether it ever was up."""
        self._lost.clear()
        self._was_up = False
        self._born_ms = self._clock()
        try:
            client = self._client = self._new_client()
            self._ask(client)
        except (OSError, ValueError) as error:
            self._report(str(error))
            return False
        client.loop_start()
        self._lost.wait(_CONNECT_TIMEOUT_S)
        if self._was_up:
            self._lost.wait()
        elif not self._lost.is_set():
            self._report("the broker does not answer")
        self._online.clear()
        client.disconnect()
        with suppress(
            AttributeError
        ):  # paho forgets its thread between asking for it and joining it, when it just ended
            client.loop_stop()
        return self._was_up

    def _ask(self, client: Client) -> None:
        """Connect with a clean session, in MQTT 5 one that ends with the connection."""
        address = self._address
        if address.mqtt is MqttVersion.V5:
            expiry = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            expiry.SessionExpiryInterval = 0
            client.connect(address.host, address.port, address.keepalive_s, clean_start=True, properties=expiry)
        else:
            client.connect(address.host, address.port, address.keepalive_s)

    def _new_client(self) -> Client:
        address = self._address
        version_5 = address.mqtt is MqttVersion.V5
        client = ReadAheadClient(
            CallbackAPIVersion.VERSION2,
            client_id=f"{address.host_id}-{secrets.token_hex(4)}",
            clean_session=None if version_5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if version_5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.wanted, client.reserved = self._take, _STATES.encode()
        client.suppress_exceptions = True
        client.connect_timeout = _CONNECT_TIMEOUT_S
        if address.username:
            client.username_pw_set(address.username, address.password or None)
        if address.ca_file or address.cert_file:
            client.tls_set(address.ca_file or None, address.cert_file or None, address.key_file or None)
        client.will_set(self._state_topic, encode_state(HostState(False, self._born_ms)), qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            self._report(f"refused: {reason}")
            self._lost.set()
            return
        client.subscribe([(topic, 1) for topic in (*self._address.topics, self._state_topic)])

    def _on_subscribe(
        self, client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _more: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._report("the subscription was refused")
            self._lost.set()
            return
        self._say(client, HostState(online=True, timestamp=self._born_ms))
        self._was_up = True
        self._online.set()
        self._trouble = ""
        _log.info("broker_connected", host=self._address.host, port=self._address.port)

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if self._online.is_set():
            self._queue.interrupt()
            if not self._stopping.is_set():
                self._report(f"connection lost: {reason}")
        self._online.clear()
        self._lost.set()

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if topic.startswith(_STATES):
            self._heed_state(client, topic, bytes(message.payload))
        else:
            self._take([(topic, bytes(message.payload))])

    def _take(self, packets: Sequence[Packet]) -> None:
        """Queue what edges said, without the commands that were said to them."""
        now_ms = self._clock()
        said = [Arrival(*packet, now_ms) for packet in packets if _NCMD not in packet[0] and _DCMD not in packet[0]]
        if said:
            self._queue.put(*said)

    def _heed_state(self, client: Client, topic: str, payload: bytes) -> None:
        if topic != self._state_topic or self._stopping.is_set():
            return
        with suppress(ValueError):
            state = decode_state(payload)
            if not state.online and self._online.is_set():
                self._say(client, HostState(online=True, timestamp=self._born_ms))

    def _say(self, client: Client, state: HostState) -> MQTTMessageInfo:
        return client.publish(self._state_topic, encode_state(state), qos=1, retain=True)

    def _report(self, trouble: str) -> None:
        """Once per change, not per attempt."""
        if trouble != self._trouble:
            self._trouble = trouble
            _log.warning("broker_unreachable", host=self._address.host, port=self._address.port, problem=trouble)
