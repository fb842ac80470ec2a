"""Sparkplug B topic names (specification 3.0, chapter 4)."""

from enum import StrEnum

import msgspec

NAMESPACE = "spBv1.0"
_FORBIDDEN = frozenset("+#/\0")  # Sparkplug's reserved characters, and the one that MQTT refuses


class MessageType(StrEnum):
    """The message types of an edge node, a device and a host."""

    NBIRTH = "NBIRTH"
    NDEATH = "NDEATH"
    NDATA = "NDATA"
    NCMD = "NCMD"
    DBIRTH = "DBIRTH"
    DDEATH = "DDEATH"
    DDATA = "DDATA"
    DCMD = "DCMD"

    @property
    def is_device(self) -> bool:
        """True for a message that names a device."""
        return self.value.startswith("D")


class Topic(msgspec.Struct, frozen=True):
    """`spBv1.0/group/TYPE/edge[/device]`. Raises ValueError when an id is empty or holds `+`, `#`, `/` or NUL."""

    group: str
    type: MessageType
    edge: str
    device: str | None = None

    def __post_init__(self) -> None:
        ids = (self.group, self.edge) if self.device is None else (self.group, self.edge, self.device)
        for part in ids:
            check_id(part)
        if self.type.is_device != (self.device is not None):
            raise ValueError(f"{self.type} {'needs' if self.type.is_device else 'takes no'} device id")

    def __str__(self) -> str:
        tail = f"/{self.device}" if self.device is not None else ""
        return f"{NAMESPACE}/{self.group}/{self.type}/{self.edge}{tail}"


def check_id(part: str) -> str:
    """Return a group, edge or device id unchanged; raise ValueError when Sparkplug forbids it."""
    if not part or _FORBIDDEN & set(part):
        raise ValueError(f"id {part!r} must not be empty nor hold '+', '#', '/' or NUL")
    return part


def parse_topic(text: str) -> Topic:
    """The topic of an edge's or device's message. Raises ValueError for anything else, STATE included."""
    parts = text.split("/")
    if len(parts) not in (4, 5) or parts[0] != NAMESPACE:
        raise ValueError(f"not a Sparkplug topic of a node or device: {text!r}")
    try:
        message_type = MessageType(parts[2])
    except ValueError:
        raise ValueError(f"unknown Sparkplug message type {parts[2]!r} in {text!r}") from None
    return Topic(parts[1], message_type, parts[3], parts[4] if len(parts) == 5 else None)


def state_topic(host: str) -> str:
    """Where a host application says whether it is online (retained, QoS 1)."""
    return f"{NAMESPACE}/STATE/{check_id(host)}"
