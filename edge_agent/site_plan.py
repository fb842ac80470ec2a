"""A site with its aliases and births, and what differs between two of them (pure)."""

import msgspec

from edge_agent.config import Site
from edge_agent.devices.reads import scan_classes
from edge_agent.health import node_birth
from edge_agent.modbus.connection import Connection
from edge_agent.publisher.node import NodeBirths, tag_names
from edge_agent.tags import DeviceTags, device_birth, tag_devices


class SitePlan(msgspec.Struct, frozen=True):
    """A site and its devices with their aliases, in the order of the site file."""

    site: Site
    tagged: tuple[DeviceTags, ...]

    @property
    def births(self) -> NodeBirths:
        """The births of the node and of every device."""
        devices = {tags.device.name: device_birth(tags) for tags in self.tagged}
        return NodeBirths(node_birth(self.site, self.tagged), devices)

    @property
    def periods_ms(self) -> dict[str, int]:
        """How often each device is read, by its most frequent channels."""
        return {tags.device.name: scan_classes(tags.device.profile)[0] for tags in self.tagged}

    def behind(self, connection: str) -> tuple[DeviceTags, ...]:
        """The devices behind a connection; none where there is no such connection."""
        return tuple(tags for tags in self.tagged if tags.device.connection == connection)


def plan_site(site: Site, before: SitePlan | None = None) -> SitePlan:
    """Aliases for a site; devices that were there `before` keep theirs."""
    return SitePlan(site, tag_devices(site, before.tagged if before else ()))


def is_same_node(before: Site, after: Site) -> bool:
    """True where a running node can go over to the other site: same identity, broker, outbox and clock."""
    return all(getattr(before, name) == getattr(after, name) for name in _NODE_FIELDS)


_NODE_FIELDS = ("home", "edge", "broker", "outbox", "synchronisation")


def touched_connections(before: SitePlan, after: SitePlan) -> frozenset[str]:
    """The connections that are new, gone, set up in another way, or have other devices behind them than before."""
    old, new = _connections(before), _connections(after)
    names = old.keys() | new.keys()
    return frozenset(name for name in names if old.get(name) != new.get(name) or _differs(name, before, after))


def loses_tags(before: SitePlan, after: SitePlan) -> bool:
    """True where a tag is no longer there: what waits of it cannot be sent any more."""
    return not set(tag_names(before.births).values()) <= set(tag_names(after.births).values())


def _connections(plan: SitePlan) -> dict[str, Connection]:
    return {connection.name: connection for connection in plan.site.connections}


def _differs(name: str, before: SitePlan, after: SitePlan) -> bool:
    return before.behind(name) != after.behind(name)
