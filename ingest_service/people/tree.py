"""A tree of nodes that is whole: one root, no loop, every parent of a kind that may bear its child. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from ingest_service.people.nodes import GRANTABLE, ROOT, ROOT_ID, Node, NodeKind


class BrokenTree(ValueError):
    """Nodes that make no tree; the text names the node and says what is allowed."""


class Tree:
    """Every node by its id, the root included. Raises BrokenTree for nodes that make no tree."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self._nodes: dict[str, Node] = {ROOT_ID: ROOT}
        for node in nodes:
            if node.id in self._nodes and node.id != ROOT_ID:
                raise BrokenTree(f"{node.id}: is there twice")
            self._nodes[node.id] = node
        self._children: dict[str, list[Node]] = {}
        self._homes: dict[str, frozenset[str]] = {}  # asked for at every request
        self._grantable: dict[str, frozenset[str]] = {}
        for node in self._nodes.values():
            if node.parent_id is not None:
                self._check(node)
                self._children.setdefault(node.parent_id, []).append(node)

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Every node by its id."""
        return self._nodes

    def get(self, node_id: str) -> Node | None:
        """That node, or None."""
        return self._nodes.get(node_id)

    def children(self, node_id: str) -> list[Node]:
        """The nodes right below, by kind and id."""
        order = list(NodeKind)
        return sorted(self._children.get(node_id, ()), key=lambda node: (order.index(node.kind), node.id))

    def below(self, node_id: str) -> Iterator[Node]:
        """The node itself and every node below it, parents first; nothing where it is not on the tree."""
        node = self._nodes.get(node_id)
        if node is not None:
            yield node
            for child in self.children(node_id):
                yield from self.below(child.id)

    def path(self, node_id: str) -> list[Node]:
        """From the root down to the node; empty where it is not on the tree."""
        path: list[Node] = []
        node = self._nodes.get(node_id)
        while node is not None:
            path.append(node)
            node = self._nodes[node.parent_id] if node.parent_id is not None else None
        return path[::-1]

    def is_within(self, node_id: str, ancestor_id: str) -> bool:
        """Whether a node is that other one or stands below it."""
        return any(node.id == ancestor_id for node in self.path(node_id))

    def homes_below(self, node_id: str) -> frozenset[str]:
        """The homes of a node, by their Sparkplug group."""
        known = self._homes.get(node_id)
        if known is None:
            known = frozenset(node.name for node in self.below(node_id) if node.kind is NodeKind.HOME)
            self._homes[node_id] = known
        return known

    def grantable_below(self, node_id: str) -> frozenset[str]:
        """The ids of the node and those below it, down to the homes."""
        known = self._grantable.get(node_id)
        if known is None:
            known = frozenset(node.id for node in self.below(node_id) if node.kind in GRANTABLE)
            self._grantable[node_id] = known
        return known

    def _check(self, node: Node) -> None:
        parent = self._nodes.get(node.parent_id or "")
        allowed = ", ".join(node.kind.parents)
        if parent is None:
            raise BrokenTree(f"{node.id}: stands below {node.parent_id!r}, which is not there")
        if parent.kind not in node.kind.parents:
            raise BrokenTree(f"{node.id}: a {node.kind} cannot stand below {parent.id} (allowed: {allowed})")
        if node.kind is NodeKind.FURNACE and not node.name.startswith(f"{parent.name}/"):
            raise BrokenTree(f"{node.id}: is a furnace of another home than {parent.id}")
