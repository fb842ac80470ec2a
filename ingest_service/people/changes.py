"""What differs between two trees, as lines that people read. Pure."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from ingest_service.people.nodes import Node, NodeKind
from ingest_service.people.tree import Tree


class ChangeKind(StrEnum):
    """What becomes of a node."""

    ADDED = "added"
    MOVED = "moved"
    RENAMED = "renamed"
    REMOVED = "removed"


class Change(msgspec.Struct, frozen=True):
    """One node before and after; None where it is not there."""

    kind: ChangeKind
    before: Node | None
    after: Node | None

    @property
    def node_id(self) -> str:
        """The node's id."""
        node = self.after or self.before
        return node.id if node else ""

    def __str__(self) -> str:
        """As `tree diff` prints it."""
        was = self.before.parent_id if self.before else None
        to = self.after.parent_id if self.after else None
        return {
            ChangeKind.ADDED: f"+ {self.node_id} below {to}",
            ChangeKind.REMOVED: f"- {self.node_id} (was below {was})",
            ChangeKind.MOVED: f"> {self.node_id} from {was} to {to}",
            ChangeKind.RENAMED: f"~ {self.node_id}: {_names(self.before)} becomes {_names(self.after)}",
        }[self.kind]


def changes(before: Tree, after: Tree) -> list[Change]:
    """What turns one tree into the other: additions from the root down, then moves and names, then removals upwards."""
    kept = [node for node in after.below("all") if node.id in before.nodes]
    added = [Change(ChangeKind.ADDED, None, node) for node in after.below("all") if node.id not in before.nodes]
    gone = [Change(ChangeKind.REMOVED, node, None) for node in before.below("all") if node.id not in after.nodes]
    return [*added, *(change for node in kept for change in _differences(before.nodes[node.id], node)), *gone[::-1]]


def _differences(was: Node, now: Node) -> Iterator[Change]:
    if was.kind is NodeKind.ALL:
        return
    if was.parent_id != now.parent_id:
        yield Change(ChangeKind.MOVED, was, now)
    if (was.name_zh, was.name_en) != (now.name_zh, now.name_en):
        yield Change(ChangeKind.RENAMED, was, now)


def _names(node: Node | None) -> str:
    return " / ".join(filter(None, (node.name_zh, node.name_en))) if node else ""
