"""The name in a certificate, and what the broker lets that name say and hear. Pure."""

from collections.abc import Iterable

import msgspec

from edge_agent.wire.topic import NAMESPACE, MessageType, check_id
from ingest_service.errors import ServiceError

LONGEST_NAME = 64  # X.520: the common name
SAID_BY_NODE = (MessageType.NBIRTH, MessageType.NDEATH, MessageType.NDATA)
SAID_BY_DEVICES = (MessageType.DBIRTH, MessageType.DDEATH, MessageType.DDATA)


class IdentityError(ServiceError):
    """A name that cannot stand in a certificate, or an identity that is not as it must be for what was asked."""


class EdgeName(msgspec.Struct, frozen=True, order=True):
    """An edge by its home (the Sparkplug group) and its own name. Raises IdentityError."""

    home: str
    edge: str

    def __post_init__(self) -> None:
        for part in (self.home, self.edge):
            try:
                check_id(part)
            except ValueError as error:
                raise IdentityError(str(error)) from error
            if not part.isprintable() or part != part.strip() or part in (".", ".."):
                raise IdentityError(f"id {part!r} holds what cannot stand in a certificate or in the broker's rules")
        if len(str(self).encode()) > LONGEST_NAME:
            raise IdentityError(f"{self} is longer than the {LONGEST_NAME} bytes that a certificate has for a name")

    def __str__(self) -> str:
        """The name in the certificate. No id holds a "/", so no two edges have the same."""
        return f"{self.home}/{self.edge}"


def rules(service: str, edges: Iterable[EdgeName], listeners: Iterable[str] = ()) -> str:
    """The broker's access list: the service, hosts of another make that only listen, and each edge its own topics."""
    blocks = [service_rules(service), *map(listener_rules, listeners), *map(edge_rules, sorted(edges))]
    return "# Written by ingest-service edge. Nothing is allowed that is not named here.\n\n" + "\n".join(blocks)


def service_rules(service: str) -> str:
    """The service hears everything. It alone commands edges: so it alone acknowledges."""
    lines = [f"user {service}", f"topic read {NAMESPACE}/#", f"topic write {NAMESPACE}/STATE/{service}"]
    lines += [f"topic write {NAMESPACE}/+/NCMD/+", f"topic write {NAMESPACE}/+/DCMD/+/+"]
    return _block(lines)


def listener_rules(host: str) -> str:
    """A host of another make hears everything and says only whether it is online."""
    return _block([f"user {host}", f"topic read {NAMESPACE}/#", f"topic write {NAMESPACE}/STATE/{host}"])


def edge_rules(name: EdgeName) -> str:
    """An edge speaks for itself and its devices, and hears its own commands and which hosts are online."""
    own = f"{NAMESPACE}/{name.home}"
    lines = [f"user {name}"]
    lines += [f"topic write {own}/{kind}/{name.edge}" for kind in SAID_BY_NODE]
    lines += [f"topic write {own}/{kind}/{name.edge}/+" for kind in SAID_BY_DEVICES]
    lines += [f"topic read {own}/NCMD/{name.edge}", f"topic read {own}/DCMD/{name.edge}/+"]
    return _block([*lines, f"topic read {NAMESPACE}/STATE/+"])


def _block(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
