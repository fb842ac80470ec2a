"""The tree: what is one and what is none, who stands below whom, and what differs between two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.people.changes import ChangeKind, changes
from ingest_service.people.nodes import ROOT_ID, Node
from ingest_service.people.tree import BrokenTree, Tree


def tree_of(**parents: str) -> Tree:
    return Tree(nodes_of(parents))


def nodes_of(parents: dict[str, str]) -> list[Node]:
    return [
        Node(id=node.replace("_", ":", 1), parent_id=parent.replace("_", ":", 1)) for node, parent in parents.items()
    ]


CITY = {
    "city_jc": "all", "district_north": "city_jc", "district_east": "city_jc", "home_beishan": "district_north",
    "home_nanping": "district_north", "home_donghu": "district_east", "home_lone": "all",
}  # fmt: skip


def test_homes_below_a_node_are_those_on_every_level() -> None:
    tree = tree_of(**CITY)
    assert tree.homes_below("district:north") == {"beishan", "nanping"}
    assert tree.homes_below("city:jc") == {"beishan", "nanping", "donghu"}
    assert tree.homes_below("home:lone") == {"lone"}
    assert tree.homes_below(ROOT_ID) == {"beishan", "nanping", "donghu", "lone"}
    assert tree.homes_below("city:nowhere") == frozenset()


def test_a_node_is_within_itself_and_what_it_stands_below() -> None:
    tree = tree_of(**CITY)
    assert tree.is_within("home:beishan", "home:beishan")
    assert tree.is_within("home:beishan", "city:jc")
    assert not tree.is_within("home:beishan", "district:east")
    assert not tree.is_within("city:jc", "home:beishan")
    assert not tree.is_within("home:nowhere", ROOT_ID)


@pytest.mark.parametrize(
    ("parents", "problem"),
    [
        ({"home_a": "city_none"}, "which is not there"),
        ({"district_a": "all"}, "cannot stand below all"),
        ({"city_a": "all", "city_b": "city_a"}, "cannot stand below city:a"),
        ({"home_a": "all", "home_b": "home_a"}, "cannot stand below home:a"),
        ({"home_a": "all", "furnace_b/1": "home_a"}, "furnace of another home"),
    ],
    ids=[
        "a parent that is not there",
        "a district of no city",
        "a city in a city",
        "a home in a home",
        "a strayed furnace",
    ],
)
def test_nodes_that_make_no_tree_are_refused(parents: dict[str, str], problem: str) -> None:
    with pytest.raises(BrokenTree, match=problem):
        Tree(nodes_of(parents))


def test_one_node_cannot_be_there_twice() -> None:
    with pytest.raises(BrokenTree, match="twice"):
        Tree([Node(id="home:a", parent_id="all"), Node(id="home:a", parent_id="all")])


def test_what_differs_is_told_parents_first_and_removals_last() -> None:
    after = {**CITY, "home_donghu": "district_north", "district_west": "city_jc"}
    del after["district_east"]
    del after["home_lone"]
    found = changes(tree_of(**CITY), tree_of(**after))
    assert [str(change) for change in found] == [
        "+ district:west below city:jc",
        "> home:donghu from district:east to district:north",
        "- home:lone (was below all)",
        "- district:east (was below city:jc)",
    ]


def test_a_new_name_is_a_change() -> None:
    before = Tree([Node(id="city:a", parent_id="all", name_zh="江城")])
    after = Tree([Node(id="city:a", parent_id="all", name_zh="江城市", name_en="Jiangcheng")])
    (change,) = changes(before, after)
    assert (change.kind, str(change)) == (ChangeKind.RENAMED, "~ city:a: 江城 becomes 江城市 / Jiangcheng")


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    cities = draw(st.sets(st.sampled_from("abc"), min_size=1))
    nodes = [Node(id=f"city:{name}", parent_id=ROOT_ID) for name in sorted(cities)]
    districts = draw(st.dictionaries(st.sampled_from("pqrs"), st.sampled_from(sorted(cities))))
    nodes += [Node(id=f"district:{name}", parent_id=f"city:{city}") for name, city in districts.items()]
    places = [ROOT_ID, *(node.id for node in nodes)]
    homes = draw(st.dictionaries(st.sampled_from("uvwxyz"), st.sampled_from(places)))
    return Tree([*nodes, *(Node(id=f"home:{name}", parent_id=place) for name, place in homes.items())])


@given(trees(), trees())
def test_the_changes_between_two_trees_are_none_exactly_where_they_are_the_same(one: Tree, other: Tree) -> None:
    assert (changes(one, other) == []) == (dict(one.nodes) == dict(other.nodes))
    assert changes(one, one) == []


@given(trees())
def test_a_home_is_below_exactly_the_nodes_on_its_path(tree: Tree) -> None:
    for node_id in tree.nodes:
        for home in tree.homes_below(ROOT_ID):
            on_path = any(node.id == node_id for node in tree.path(f"home:{home}"))
            assert (home in tree.homes_below(node_id)) == on_path == tree.is_within(f"home:{home}", node_id)
