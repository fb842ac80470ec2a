"""The tree of the organisation in the relational database: as it stands, and where each node stood when."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from ingest_service.audit.entry import Action
from ingest_service.people.changes import Change, ChangeKind, changes
from ingest_service.people.nodes import Node, NodeKind
from ingest_service.people.tree import Tree
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.people_tables import MachineKey, OrgNode, OrgPlace, Person, RoleGrant
from ingest_service.store.tables import Home
from ingest_service.store.transaction import transaction


class Place(msgspec.Struct, frozen=True):
    """Below which node a node stood from when to when (None: until now), ms since 1970 UTC."""

    node_id: str
    parent_id: str
    from_ms: int
    to_ms: int | None


class Witness(msgspec.Struct, frozen=True):
    """Someone who could see a home: their role at a node above it, from when to when (None: until now)."""

    account: str
    role: str
    node_id: str
    from_ms: int
    to_ms: int | None


class TreeStore:
    """The one writer of the tree; each change is noted in the audit trail. Raises StoreError."""

    def __init__(self, engine: Engine, trail: AuditTrail) -> None:
        self._engine, self._trail = engine, trail

    def tree(self) -> Tree:
        """The tree as it stands."""
        with transaction(self._engine) as session:
            return _tree(session)

    def apply(self, wanted: Tree, doing: Doing) -> list[Change]:
        """Make the tree the wanted one; return what changed. What leaves the tree takes its grants and keys along."""
        with transaction(self._engine) as session:
            found = changes(_tree(session), wanted)
            for change in found:
                self._make(session, change, doing)
            return found

    def put(self, nodes: Iterable[Node], doing: Doing) -> list[Change]:
        """Add or move these nodes and leave the rest. Raises BrokenTree where that makes no tree."""
        with transaction(self._engine) as session:
            before = _tree(session)
            new = {node.id: node for node in nodes}
            after = Tree([*(node for node in before.nodes.values() if node.id not in new), *new.values()])
            found = changes(before, after)
            for change in found:
                self._make(session, change, doing)
            return found

    def remove(self, node_id: str, doing: Doing) -> list[Change]:
        """Take a node and all below it from the tree; its data stay."""
        with transaction(self._engine) as session:
            before = _tree(session)
            gone = {node.id for node in before.below(node_id)}
            found = changes(before, Tree(node for node in before.nodes.values() if node.id not in gone))
            for change in found:
                self._make(session, change, doing)
            return found

    def places(self, node_id: str) -> list[Place]:
        """Where a node stood, oldest first."""
        with transaction(self._engine) as session:
            rows = session.scalars(select(OrgPlace).where(OrgPlace.node_id == node_id).order_by(OrgPlace.id))
            return [Place(row.node_id, row.parent_id, row.from_ms, row.to_ms) for row in rows]

    def witnesses(self, home_node_id: str) -> list[Witness]:
        """Who could see a home, and when: grants on it and on whatever it stood below at the time."""
        with transaction(self._engine) as session:
            spans = _standing(session, home_node_id)
            query = select(RoleGrant, Person.account).join(Person, Person.id == RoleGrant.person_id)
            found = [
                Witness(account, grant.role, grant.node_id, max(span.from_ms, grant.granted_ms), end)
                for grant, account in session.execute(query.order_by(RoleGrant.id))
                for span in spans
                if span.parent_id == grant.node_id
                and _overlaps(span, grant, end := _earlier(span.to_ms, grant.revoked_ms))
            ]
            return sorted(found, key=lambda witness: (witness.from_ms, witness.account))

    def _make(self, session: Session, change: Change, doing: Doing) -> None:
        if change.kind in (ChangeKind.MOVED, ChangeKind.REMOVED):
            left = update(OrgPlace).where(OrgPlace.node_id == change.node_id, OrgPlace.to_ms.is_(None))
            session.execute(left.values(to_ms=doing.at_ms))
        if change.kind is ChangeKind.REMOVED:
            session.execute(delete(OrgNode).where(OrgNode.id == change.node_id))
            _end_rights(session, change.node_id, doing)
        elif change.after is not None and change.after.parent_id is not None:
            _write(session, change, change.after, doing)
        home = change.node_id.partition(":")[2] if change.node_id.startswith(f"{NodeKind.HOME}:") else ""
        action = Action.EDGE_ADMITTED if home and change.kind is ChangeKind.ADDED else Action.TREE_CHANGED
        note = doing.entry(action, f"node {change.node_id}", _shown(change.before), _shown(change.after), home)
        self._trail.append(session, note)


def known_homes(session: Session) -> Sequence[Node]:
    """Every home that ever announced itself, as it would stand on the tree: below the root."""
    rows = session.execute(select(Home.id, Home.name_zh, Home.name_en).order_by(Home.id))
    return [Node(id=f"{NodeKind.HOME}:{name}", parent_id="all", name_zh=zh, name_en=en) for name, zh, en in rows]


def stored_nodes(session: Session) -> list[Node]:
    """Every node of the tree but its root."""
    rows = session.execute(select(OrgNode.id, OrgNode.parent_id, OrgNode.name_zh, OrgNode.name_en))
    return [Node(id=node_id, parent_id=parent, name_zh=zh, name_en=en) for node_id, parent, zh, en in rows]


def _tree(session: Session) -> Tree:
    return Tree(stored_nodes(session))


def _write(session: Session, change: Change, node: Node, doing: Doing) -> None:
    values = {"parent_id": node.parent_id, "name_zh": node.name_zh, "name_en": node.name_en}
    if change.kind is ChangeKind.ADDED:
        session.execute(insert(OrgNode).values(id=node.id, **values))
    else:
        session.execute(update(OrgNode).where(OrgNode.id == node.id).values(**values))
    if change.kind in (ChangeKind.ADDED, ChangeKind.MOVED):
        place = {"node_id": node.id, "parent_id": node.parent_id, "from_ms": doing.at_ms, "to_ms": None}
        session.execute(insert(OrgPlace).values(**place))


def _end_rights(session: Session, node_id: str, doing: Doing) -> None:
    """A node that comes back later must not bring back who was granted something on it before."""
    for table in (RoleGrant, MachineKey):
        ended = update(table).where(table.node_id == node_id, table.revoked_ms.is_(None))
        session.execute(ended.values(revoked_ms=doing.at_ms, revoked_by=doing.who))


def _standing(session: Session, node_id: str) -> list[Place]:
    """For how long a home stood below each node, over every level; below itself and the root for ever."""
    rows = session.execute(select(OrgPlace.node_id, OrgPlace.parent_id, OrgPlace.from_ms, OrgPlace.to_ms))
    places = [Place(*row) for row in rows]
    reached = [Place(node_id, node_id, 0, None)]
    for span in reached:
        reached += [
            Place(node_id, place.parent_id, max(place.from_ms, span.from_ms), end)
            for place in places
            if place.node_id == span.parent_id
            and place.parent_id != "all"
            and _is_span(max(place.from_ms, span.from_ms), end := _earlier(place.to_ms, span.to_ms))
        ]
    return [*reached, Place(node_id, "all", 0, None)]


def _overlaps(span: Place, grant: RoleGrant, end_ms: int | None) -> bool:
    return _is_span(max(span.from_ms, grant.granted_ms), end_ms)


def _is_span(from_ms: int, to_ms: int | None) -> bool:
    return to_ms is None or from_ms < to_ms


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((end for end in (one, other) if end is not None), default=None)


def _shown(node: Node | None) -> dict[str, str | None] | None:
    return None if node is None else {"below": node.parent_id, "zh": node.name_zh, "en": node.name_en}
