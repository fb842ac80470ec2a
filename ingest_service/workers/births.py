"""Registers the births of a whole batch in one transaction, before they are understood one by one."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from edge_agent.wire.birth import Birth, decode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.topic import MessageType, parse_topic
from ingest_service.errors import StoreError
from ingest_service.intake.arrivals import Arrival
from ingest_service.store.registry import DeviceBirth, NodeBirth, Registry

_NBIRTH, _DBIRTH = f"/{MessageType.NBIRTH}/", f"/{MessageType.DBIRTH}/"
_FEWEST = 2

Births = Mapping[bytes, Birth]


def register_together(registry: Registry, arrivals: Sequence[Arrival]) -> Births:
    """Make what many births name known at once, and return them decoded, by their payloads.

    A transaction takes longer than all else that a birth needs. What fails here fails again when the birth is
    understood, and is dealt with there.
    """
    found = [arrival for arrival in arrivals if _NBIRTH in arrival.topic or _DBIRTH in arrival.topic]
    if len(found) < _FEWEST:
        return {}
    births: dict[bytes, Birth] = {}
    wanted: list[NodeBirth | DeviceBirth] = []
    for arrival in found:
        with suppress(ValueError, OverflowError):
            wanted += _of(arrival, births)
    with suppress(StoreError):
        registry.register_all(wanted)
    return births


def _of(arrival: Arrival, births: dict[bytes, Birth]) -> list[NodeBirth | DeviceBirth]:
    """What a birth asks to register: a device, or the node, which may be a device as well; no node without a bdSeq."""
    topic = parse_topic(arrival.topic)
    birth = births[arrival.payload] = decode_birth(parse_payload(arrival.payload))
    if topic.type is MessageType.DBIRTH:
        return [DeviceBirth(topic.group, topic.edge, topic.device or "", birth)]
    if birth.bd_seq is None:
        return []
    node = NodeBirth(topic.group, topic.edge, birth, arrival.received_at_ms)
    return [node, DeviceBirth(topic.group, topic.edge, "", birth)] if birth.channels else [node]
