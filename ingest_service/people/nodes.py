"""The nodes of an organisation: everything, a city, a district, a funeral home, a furnace. Pure."""

from enum import StrEnum

import msgspec


class NodeKind(StrEnum):
    """What a node is; a parent stands higher in this order than its children."""

    ALL = "all"
    CITY = "city"
    DISTRICT = "district"
    HOME = "home"
    FURNACE = "furnace"

    @property
    def parents(self) -> tuple["NodeKind", ...]:
        """The kinds below which such a node may stand."""
        return _PARENTS[self]


_PARENTS = {
    NodeKind.ALL: (),
    NodeKind.CITY: (NodeKind.ALL,),
    NodeKind.DISTRICT: (NodeKind.CITY,),
    NodeKind.HOME: (NodeKind.ALL, NodeKind.CITY, NodeKind.DISTRICT),
    NodeKind.FURNACE: (NodeKind.HOME,),
}
GRANTABLE = (NodeKind.ALL, NodeKind.CITY, NodeKind.DISTRICT, NodeKind.HOME)
ROOT_ID = "all"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One node; `id` is `<kind>:<name>`, that of a home ends in its Sparkplug group. Names may be empty."""

    id: str
    parent_id: str | None
    name_zh: str = ""
    name_en: str = ""

    @property
    def kind(self) -> NodeKind:
        """What it is."""
        return NodeKind(self.id.partition(":")[0])

    @property
    def name(self) -> str:
        """What stands behind the kind: a home's Sparkplug group, a furnace's `<home>/<furnace>`."""
        return self.id.partition(":")[2]


ROOT = Node(id=ROOT_ID, parent_id=None, name_zh="全部", name_en="Everything")


def node_id(kind: NodeKind, name: str) -> str:
    """The id of a node of that kind."""
    return ROOT_ID if kind is NodeKind.ALL else f"{kind}:{name}"


def home_node_id(home_id: str) -> str:
    """The node of a funeral home."""
    return node_id(NodeKind.HOME, home_id)
