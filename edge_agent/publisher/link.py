"""One MQTT connection, brought from paho's thread to asyncio: the edge's only MQTT import."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.config import Broker
from edge_agent.errors import ConfigError, LinkError
from edge_agent.publisher.node import Message
from edge_agent.wire.mqtt import MqttVersion
from edge_agent.wire.topic import state_topic

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
FAREWELL_TIMEOUT_S = 2.0
MAX_COMMANDS = 1024  # the oldest are dropped: an acknowledgement is repeated, a rebirth asked for again


class Credentials(msgspec.Struct, frozen=True):
    """User name and password at the broker; both "" where it asks for none."""

    username: str = ""
    password: str = ""

    @classmethod
    def of(cls, broker: Broker) -> "Credentials":
        """Read the password from the environment or its file. Raises ConfigError where it cannot be had."""
        return cls(broker.username, _password(broker))


class NotReachedError(LinkError):
    """The broker was not even asked: its will and bdSeq were not used."""


class Link:
    """A connection with a will. `wake` is called in the event loop whenever something was heard."""

    def __init__(
        self, broker: Broker, credentials: Credentials, client_id: str, will: Message, wake: Callable[[], None]
    ) -> None:
        self._broker, self._wake = broker, wake
        self._loop = asyncio.get_running_loop()
        self._accepted: asyncio.Future[str] = self._loop.create_future()
        self._subscribed: asyncio.Future[str] = self._loop.create_future()
        self._lost: str | None = None
        self._asked = False
        self._state_topic = state_topic(broker.primary_host) if broker.primary_host else ""
        self._commands: deque[bytes] = deque(maxlen=MAX_COMMANDS)
        self._states: deque[bytes] = deque(maxlen=MAX_COMMANDS)
        self._queued = self._written = 0
        self._client = _client(broker, credentials, client_id, will)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

    @property
    def unwritten(self) -> int:
        """Messages that still wait for the socket."""
        return self._queued - self._written

    def check(self) -> None:
        """Raise LinkError when the connection is gone."""
        if self._lost is not None:
            raise LinkError(f"connection to {self._where} lost: {self._lost}")

    def take_commands(self) -> list[bytes]:
        """The payloads heard on the command topic since the last call."""
        taken = list(self._commands)
        self._commands.clear()
        return taken

    def take_states(self) -> list[bytes]:
        """The payloads in which the primary host said since the last call whether it is online."""
        taken = list(self._states)
        self._states.clear()
        return taken

    def publish(self, message: Message) -> mqtt.MQTTMessageInfo:
        """Hand a message to the network thread. Raises LinkError when the connection is gone."""
        info = self._client.publish(message.topic, message.payload, message.qos, retain=False)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"cannot publish at {self._where}: {mqtt.error_string(info.rc)}")
        self._queued += 1
        return info

    async def open(self, command_topic: str) -> None:
        """Connect and hear commands, and the primary host, at QoS 1. Raises LinkError."""
        topics = [(topic, 1) for topic in (command_topic, self._state_topic) if topic]
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S + ANSWER_TIMEOUT_S):
                await asyncio.to_thread(self._ask)
                self._client.loop_start()
                self._refuse(await self._accepted)
                self._client.subscribe(topics)
                self._refuse(await self._subscribed)
        except (OSError, ValueError) as error:
            problem = f"cannot connect to {self._where}: {str(error) or 'no answer'}"
            raise (LinkError if self._asked else NotReachedError)(problem) from error

    async def farewell(self, death: Message) -> None:
        """Say the death, see it received, and disconnect; the will is not needed, but MQTT 5 must send it all the same.

        (Sparkplug 3.0, 6.4.23: by the reason code of the disconnection.)
        """
        with suppress(LinkError, RuntimeError, ValueError):
            info = self.publish(death)
            await asyncio.to_thread(info.wait_for_publish, FAREWELL_TIMEOUT_S)
        if self._broker.mqtt is MqttVersion.V5:
            self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        else:
            self._client.disconnect()

    async def close(self) -> None:
        """End the network thread; a connection that is still open is cut, and the broker publishes the will."""
        open_socket = self._client.socket()
        if self._client.is_connected() and isinstance(open_socket, socket.socket):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        with suppress(
            AttributeError
        ):  # paho forgets its thread between asking for it and joining it, when it just ended
            await asyncio.to_thread(self._client.loop_stop)

    @property
    def _where(self) -> str:
        return f"{self._broker.host}:{self._broker.port}"

    def _ask(self) -> None:
        """Send the CONNECT packet: a clean session, in MQTT 5 one that ends with the connection."""
        broker = self._broker
        if broker.mqtt is MqttVersion.V5:
            expiry = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            expiry.SessionExpiryInterval = 0
            self._client.connect(broker.host, broker.port, broker.keepalive_s, clean_start=True, properties=expiry)
        else:
            self._client.connect(broker.host, broker.port, broker.keepalive_s)
        self._asked = True

    def _refuse(self, problem: str) -> None:
        if problem:
            raise LinkError(f"{self._where} refused: {problem}")

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._post(_answer, self._accepted, str(reason) if reason.is_failure else "")

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        self._post(_answer, self._subscribed, ", ".join(str(reason) for reason in reasons if reason.is_failure))

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._post(self._lose, str(reason))

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        heard = self._states if message.topic == self._state_topic else self._commands
        self._post(self._hear, heard, message.payload)

    def _on_publish(self, *_: Any) -> None:
        self._written += 1

    def _post(self, callback: Callable[..., None], *args: object) -> None:
        """From the network thread to the event loop; once the loop is closed nobody wants to know."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *args)

    def _hear(self, heard: deque[bytes], payload: bytes) -> None:
        heard.append(payload)
        self._wake()

    def _lose(self, reason: str) -> None:
        self._lost = reason
        for waiting in (self._accepted, self._subscribed):
            _answer(waiting, reason)
        self._wake()


@asynccontextmanager
async def connect(
    broker: Broker,
    credentials: Credentials,
    client_id: str,
    will: Message,
    command_topic: str,
    wake: Callable[[], None],
) -> AsyncIterator[Link]:
    """A connection that hears commands; cut at the end unless a farewell was said. Raises LinkError."""
    link = Link(broker, credentials, client_id, will, wake)
    try:
        await link.open(command_topic)
        yield link
    finally:
        await link.close()


def _password(broker: Broker) -> str:
    if broker.password_file and broker.password_env:
        raise ConfigError("site file", "broker.password_file", "stands beside password_env: name one of them")
    if broker.password_file:
        return _first_line(broker.password_file)
    password = os.environ.get(broker.password_env, "") if broker.password_env else ""
    if broker.password_env and not password:
        raise ConfigError("site file", "broker.password_env", f"environment variable {broker.password_env} is not set")
    return password


def _first_line(file: str) -> str:
    try:
        password = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("site file", "broker.password_file", f"{file} cannot be read: {error}") from error
    if not password:
        raise ConfigError("site file", "broker.password_file", f"{file} is empty")
    return password


def _client(broker: Broker, credentials: Credentials, client_id: str, will: Message) -> mqtt.Client:
    version_5 = broker.mqtt is MqttVersion.V5
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if version_5 else True,
        protocol=mqtt.MQTTv5 if version_5 else mqtt.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.will_set(will.topic, will.payload, will.qos, retain=False)
    if credentials.username:
        client.username_pw_set(credentials.username, credentials.password or None)
    if broker.ca_file:
        client.tls_set(broker.ca_file, broker.cert_file or None, broker.key_file or None)
    return client


def _answer(waiting: "asyncio.Future[str]", problem: str) -> None:
    if not waiting.done():
        waiting.set_result(problem)
