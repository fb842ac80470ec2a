"""Nodes of the tree as a reader chooses among them."""

from collections.abc import Callable

import msgspec

from ingest_service.api.page.texts import Texts
from ingest_service.people.nodes import GRANTABLE, ROOT_ID, Node
from ingest_service.people.tree import Tree


class NodeChoice(msgspec.Struct, frozen=True):
    """A node in a list to choose from."""

    id: str
    label: str


def grantable(tree: Tree, t: Texts, may: Callable[[str], bool]) -> list[NodeChoice]:
    """The nodes at which roles are granted, top down, of those that the reader may."""
    nodes = (node for node in tree.below(ROOT_ID) if node.kind in GRANTABLE)
    return [NodeChoice(node.id, way_to(tree, node.id, t)) for node in nodes if may(node.id)]


def way_to(tree: Tree, node_id: str, t: Texts) -> str:
    """The way from the top to a node, by names; its id where it is not on the tree."""
    path = tree.path(node_id)
    return " › ".join(name_of(node, t) for node in path[min(1, len(path) - 1) :]) or node_id


def name_of(node: Node, t: Texts) -> str:
    """A node's name in the reader's language."""
    return t("tree.everything") if node.id == ROOT_ID else t.either(node.name_zh, node.name_en, node.name)
