"""The one decision: on which homes a caller has a right. Pure."""

from enum import StrEnum

import msgspec

from ingest_service.people.nodes import ROOT_ID, home_node_id
from ingest_service.people.roles import ON_THE_ROOT, KeyUse, Right, Role
from ingest_service.people.tree import Tree


class Admission(StrEnum):
    """Which homes are taken: every one that announces itself (at the root), or those on the tree."""

    ALL = "all"
    LISTED = "listed"


class CallerKind(StrEnum):
    """Who asks: a person who signed in, a machine with a key, or whoever sits at this very machine.

    A newcomer signed in with a password that someone else set, and may do nothing but choose their own.
    """

    PERSON = "person"
    NEWCOMER = "newcomer"
    KEY = "key"
    LOCAL = "local"


class Grant(msgspec.Struct, frozen=True):
    """Rights at a node and at everything below it."""

    node_id: str
    rights: frozenset[Right]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `id` is a person's or a key's, `name` is what records say."""

    kind: CallerKind
    id: int
    name: str
    grants: tuple[Grant, ...]
    session_id: str = ""


def role_grant(role: Role, node_id: str) -> Grant:
    """What that role brings there."""
    return Grant(node_id, role.rights)


def key_grant(uses: tuple[KeyUse, ...], node_id: str) -> Grant:
    """What a key for these uses brings there."""
    return Grant(node_id, frozenset().union(*(use.rights for use in uses)))


def reach(caller: Caller, right: Right, tree: Tree, admission: Admission) -> frozenset[str] | None:
    """The homes on which a caller has that right; None is every home, admitted or not.

    Whatever page, API, stream and export show is cut to this.
    """
    nodes = [grant.node_id for grant in caller.grants if right in grant.rights]
    if ROOT_ID in nodes and admission is Admission.ALL:
        return None
    return frozenset().union(*map(tree.homes_below, nodes))


def nodes_in_reach(caller: Caller, right: Right, tree: Tree) -> frozenset[str]:
    """The nodes on which a caller has that right, down to the homes."""
    nodes = [grant.node_id for grant in caller.grants if right in grant.rights]
    return frozenset().union(*map(tree.grantable_below, nodes))


def has(caller: Caller, right: Right) -> bool:
    """Whether a caller has a right anywhere; one that concerns the whole centre only at the root."""
    held = [grant.node_id for grant in caller.grants if right in grant.rights]
    return ROOT_ID in held if right in ON_THE_ROOT else bool(held)


def may_at(caller: Caller, right: Right, node_id: str, tree: Tree) -> bool:
    """Whether a caller has a right at a node, by a grant on it or above it."""
    return any(right in grant.rights and tree.is_within(node_id, grant.node_id) for grant in caller.grants)


def may_at_home(caller: Caller, right: Right, home_id: str, tree: Tree) -> bool:
    """The same for a home by its Sparkplug group."""
    return may_at(caller, right, home_node_id(home_id), tree)


def covers(manager: Caller, right: Right, node_ids: tuple[str, ...], tree: Tree) -> bool:
    """Whether a manager's right reaches all of these nodes: no one may touch what reaches beyond themselves."""
    return all(may_at(manager, right, node_id, tree) for node_id in node_ids)
