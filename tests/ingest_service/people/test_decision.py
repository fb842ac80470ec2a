"""The one decision: which homes a caller reaches with a right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.people.decision import (
    Admission,
    Caller,
    CallerKind,
    Grant,
    covers,
    has,
    key_grant,
    may_at_home,
    role_grant,
)
from ingest_service.people.decision import reach as reach_of
from ingest_service.people.nodes import Node
from ingest_service.people.roles import ON_THE_ROOT, KeyUse, Right, Role
from ingest_service.people.tree import Tree

TREE = Tree(
    Node(id=node, parent_id=parent)
    for node, parent in {
        "city:jc": "all", "district:north": "city:jc", "district:east": "city:jc", "home:beishan": "district:north",
        "home:nanping": "district:north", "home:donghu": "district:east",
    }.items()
)  # fmt: skip
NODES = sorted(TREE.nodes)


def caller(*grants: Grant) -> Caller:
    return Caller(kind=CallerKind.PERSON, id=1, name="x", grants=grants)


def homes(found: Caller, right: Right, admission: Admission = Admission.LISTED) -> set[str] | None:
    reached = reach_of(found, right, TREE, admission)
    return None if reached is None else set(reached)


def test_a_role_holds_at_its_node_and_below_and_nowhere_else() -> None:
    engineer = caller(role_grant(Role.ENGINEER, "district:north"))
    assert homes(engineer, Right.ACKNOWLEDGE) == {"beishan", "nanping"}
    assert homes(engineer, Right.APPROVE) == set()
    assert may_at_home(engineer, Right.MARK, "beishan", TREE)
    assert not may_at_home(engineer, Right.MARK, "donghu", TREE)


def test_a_role_at_the_root_reaches_a_home_that_nobody_placed_only_where_every_home_is_taken() -> None:
    admin = caller(role_grant(Role.ADMIN, "all"))
    assert homes(admin, Right.VIEW, Admission.ALL) is None
    assert homes(admin, Right.VIEW, Admission.LISTED) == {"beishan", "nanping", "donghu"}


def test_several_grants_add_up_right_by_right() -> None:
    both = caller(role_grant(Role.VIEWER, "city:jc"), role_grant(Role.SUPERVISOR, "home:donghu"))
    assert homes(both, Right.VIEW) == {"beishan", "nanping", "donghu"}
    assert homes(both, Right.APPROVE) == {"donghu"}


@pytest.mark.parametrize("right", ON_THE_ROOT)
def test_what_concerns_the_whole_centre_is_held_at_the_root_alone(right: Right) -> None:
    assert has(caller(role_grant(Role.ADMIN, "all")), right)
    assert not has(caller(role_grant(Role.ADMIN, "city:jc")), right)


def test_an_auditor_sees_and_changes_nothing() -> None:
    changing = {Right.ACKNOWLEDGE, Right.MARK, Right.APPROVE, Right.PEOPLE, Right.TREE}
    assert Role.AUDITOR.rights.isdisjoint(changing)
    assert {Right.VIEW, Right.AUDIT} <= Role.AUDITOR.rights


def test_a_key_brings_the_rights_of_its_uses_only() -> None:
    key = caller(key_grant((KeyUse.GRAFANA, KeyUse.WRITE_MARKS), "home:beishan"))
    assert homes(key, Right.CHARTS) == {"beishan"} == homes(key, Right.MARK)
    assert homes(key, Right.VIEW) == set() == homes(key, Right.ACKNOWLEDGE)


def test_no_key_may_manage_people_or_tree() -> None:
    rights = frozenset().union(*(use.rights for use in KeyUse))
    assert rights.isdisjoint({Right.PEOPLE, Right.TREE, Right.AUDIT, Right.APPROVE, Right.ACKNOWLEDGE})


def test_a_manager_covers_those_whose_every_grant_lies_below_their_own() -> None:
    manager = caller(role_grant(Role.ADMIN, "district:north"))
    assert covers(manager, Right.PEOPLE, ("home:beishan", "district:north"), TREE)
    assert not covers(manager, Right.PEOPLE, ("home:beishan", "home:donghu"), TREE)
    assert not covers(manager, Right.PEOPLE, ("all",), TREE)


@given(st.sampled_from(Role), st.sampled_from(NODES), st.sampled_from(Right))
def test_a_reach_is_exactly_the_homes_at_which_the_right_may_be_used(role: Role, node: str, right: Right) -> None:
    found = caller(role_grant(role, node))
    reached = homes(found, right)
    assert reached is not None
    for home in TREE.homes_below("all"):
        assert (home in reached) == may_at_home(found, right, home, TREE)
