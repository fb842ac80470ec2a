"""The tree in the database: where nodes stood when, who could see a home when, and what removal takes along."""

import pytest
from sqlalchemy import Engine

from edge_agent.wire.birth import Birth
from ingest_service.people.decision import Admission
from ingest_service.people.nodes import Node
from ingest_service.people.roles import KeyUse, Role
from ingest_service.people.tree import BrokenTree, Tree
from ingest_service.store import directory
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.keys import KeyShown
from ingest_service.store.organisation import PeopleStores, open_people
from ingest_service.store.registry import Registry


@pytest.fixture
def engine(database: Engine) -> Engine:
    return database


@pytest.fixture
def stores(engine: Engine) -> PeopleStores:
    return open_people(engine, AuditTrail(engine), Admission.LISTED)


def at(ms: int) -> Doing:
    return Doing("admin", "", ms)


def tree_of(**parents: str) -> Tree:
    return Tree(Node(id=node.replace("_", ":"), parent_id=up.replace("_", ":")) for node, up in parents.items())


CITY = {"city_jc": "all", "district_north": "city_jc", "district_east": "city_jc", "home_a": "district_north"}


def add(stores: PeopleStores, account: str, role: Role, node: str, at_ms: int) -> int:
    person = stores.people.add(account, account, at(at_ms))
    stores.people.grant(person.id, role, node, at(at_ms))
    return person.id


def test_applying_a_tree_twice_changes_nothing_the_second_time(stores: PeopleStores) -> None:
    assert len(stores.tree.apply(tree_of(**CITY), at(10))) == 4
    assert stores.tree.apply(tree_of(**CITY), at(20)) == []
    assert dict(stores.tree.tree().nodes) == dict(tree_of(**CITY).nodes)


def test_a_move_keeps_where_a_home_stood_before(stores: PeopleStores) -> None:
    stores.tree.apply(tree_of(**CITY), at(10))
    stores.tree.put([Node(id="home:a", parent_id="district:east")], at(20))
    stores.tree.remove("home:a", at(30))
    assert [(place.parent_id, place.from_ms, place.to_ms) for place in stores.tree.places("home:a")] == [
        ("district:north", 10, 20),
        ("district:east", 20, 30),
    ]


def test_who_could_see_a_home_is_known_for_every_moment(stores: PeopleStores) -> None:
    stores.tree.apply(tree_of(**CITY), at(10))
    add(stores, "north", Role.SUPERVISOR, "district:north", 12)
    add(stores, "east", Role.VIEWER, "district:east", 15)
    add(stores, "city", Role.AUDITOR, "city:jc", 16)
    own = add(stores, "own", Role.ENGINEER, "home:a", 17)
    add(stores, "root", Role.ADMIN, "all", 5)
    stores.tree.put([Node(id="home:a", parent_id="district:east")], at(20))
    stores.people.revoke(stores.people.grants(own)[0].id, at(25))
    seen = [(one.account, one.from_ms, one.to_ms) for one in stores.tree.witnesses("home:a")]
    assert ("north", 12, 20) in seen
    assert ("east", 20, None) in seen
    assert ("own", 17, 25) in seen
    assert ("root", 5, None) in seen
    assert [one for one in seen if one[0] == "city"] == [("city", 16, 20), ("city", 20, None)]
    assert len(seen) == 6


def test_what_leaves_the_tree_takes_its_grants_and_keys_along_for_good(stores: PeopleStores) -> None:
    stores.tree.apply(tree_of(**CITY), at(10))
    person = add(stores, "li", Role.ENGINEER, "home:a", 11)
    key = stores.keys.add(KeyShown("k", "home:a", (KeyUse.READ,), None), at(11))
    stores.tree.remove("district:north", at(20))
    stores.tree.apply(tree_of(**CITY), at(30))
    assert stores.people.grants(person) == []
    found = stores.keys.find(key.text)
    assert found is not None
    assert not found.is_open(40)


def test_a_put_that_makes_no_tree_changes_nothing(stores: PeopleStores) -> None:
    stores.tree.apply(tree_of(**CITY), at(10))
    with pytest.raises(BrokenTree):
        stores.tree.put([Node(id="city:jc", parent_id="district:north")], at(20))
    assert dict(stores.tree.tree().nodes) == dict(tree_of(**CITY).nodes)


def test_a_grant_that_holds_is_not_made_twice(stores: PeopleStores) -> None:
    person = add(stores, "li", Role.VIEWER, "all", 10)
    stores.people.grant(person, Role.VIEWER, "all", at(20))
    assert len(stores.people.grants(person)) == 1


@pytest.mark.parametrize("admission", Admission)
def test_a_home_that_announces_itself_stands_at_the_root_or_waits(engine: Engine, admission: Admission) -> None:
    stores = open_people(engine, AuditTrail(engine), admission)
    stores.tree.apply(tree_of(**CITY), at(10))
    Registry(engine).register_node("new", "gateway", Birth(channels=(), attributes={"HomeNameEn": "New"}), 20)
    is_taken = admission is Admission.ALL
    assert stores.directory.tree().homes_below("all") == ({"a", "new"} if is_taken else {"a"})
    assert [node.name_en for node in stores.directory.waiting()] == ([] if is_taken else ["New"])
    assert [node.id for node in stores.directory.unplaced()] == ["home:new"]


def test_what_another_process_changes_shows_within_some_seconds(
    engine: Engine, stores: PeopleStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_people(engine, AuditTrail(engine), Admission.LISTED)
    assert other.directory.tree().homes_below("all") == frozenset()
    stores.tree.apply(tree_of(**CITY), at(10))
    assert other.directory.tree().homes_below("all") == frozenset()
    monkeypatch.setattr(directory, "FRESH_S", 0.0)
    assert other.directory.tree().homes_below("all") == {"a"}
