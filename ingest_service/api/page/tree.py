"""The page of the organisation's tree: where homes stand, and those that wait to be admitted."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest_service.api.access import Act, needs
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.page.addresses import Word
from ingest_service.api.page.places import NodeChoice, name_of, way_to
from ingest_service.api.page.rendering import OpenPage
from ingest_service.api.page.texts import Texts
from ingest_service.people.decision import may_at
from ingest_service.people.nodes import ROOT_ID, Node, NodeKind, home_node_id, node_id
from ingest_service.people.roles import Right
from ingest_service.people.tree import BrokenTree
from ingest_service.store import overview
from ingest_service.store.doing import Doing
from ingest_service.store.overview import Reader

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Planting = Annotated[Act, needs(Right.TREE)]
NodeField = Annotated[str, Form(max_length=200)]
NameField = Annotated[str, Form(max_length=150)]
MADE_BY_HAND = (NodeKind.CITY, NodeKind.DISTRICT, NodeKind.HOME)


class ShownNode(msgspec.Struct, frozen=True):
    """A node with what stands below it. `places` are those to which it may be moved, where that is asked for."""

    id: str
    kind: NodeKind
    name: str
    name_zh: str
    name_en: str
    parent_id: str | None
    children: list["ShownNode"]
    places: list[NodeChoice]
    may_change: bool


@router.get("/tree")
def show_tree(here: Here, page: OpenPage, act: Planting, node: Word = "") -> HTMLResponse:
    """The part of the tree that the reader may change, with the form for one node of it."""
    heard = furnaces_by_home(page.sight)
    rooted = may_at(act.caller, Right.TREE, ROOT_ID, act.tree)
    return page.render(
        "tree.html",
        "people",
        tops=[shown(act, top, heard, page.t, node) for top in tops(act)],
        changing=node,
        waiting=here.people.directory.waiting() if rooted else (),
        places=places_for(act, NodeKind.HOME, page.t),
        parents={kind: places_for(act, kind, page.t) for kind in MADE_BY_HAND},
        kinds=MADE_BY_HAND,
    )


@router.post("/tree/add")
def add_node(
    here: Here,
    act: Planting,
    kind: Annotated[NodeKind, Form()],
    name: Annotated[str, Form(min_length=1, max_length=150, pattern=r"^[^/#+\x00-\x1f]+$")],
    parent: NodeField,
    name_zh: NameField = "",
    name_en: NameField = "",
) -> Response:
    """A new city, district or home."""
    act.at_node(parent)
    made = node_id(kind, name.strip())
    if kind not in MADE_BY_HAND or act.tree.get(made) is not None:
        raise InvalidRequest(f"{made} is there already" if act.tree.get(made) else "a city, district or home is made")
    if made in {node.id for node in here.people.directory.waiting()}:
        return admit_home(here, act, name.strip(), parent)
    node = Node(id=made, parent_id=parent, name_zh=name_zh.strip(), name_en=name_en.strip())
    return put(here, node, act.doing())


@router.post("/tree/change")
def change_node(
    here: Here, act: Planting, node: NodeField, parent: NodeField, name_zh: NameField = "", name_en: NameField = ""
) -> Response:
    """Move a node, or give it other names; the data stay where they are."""
    known = found(act, node)
    act.at_node(parent)
    if parent != known.parent_id:
        act.at_node(known.parent_id or "")
    return put(here, msgspec.structs.replace(known, parent_id=parent, name_zh=name_zh, name_en=name_en), act.doing())


@router.post("/tree/admit")
def admit_home(here: Here, act: Planting, home: Annotated[str, Form(max_length=200)], parent: NodeField) -> Response:
    """Take a home that announced itself."""
    act.at_node(ROOT_ID)
    act.at_node(parent)
    waiting = {node.id: node for node in here.people.directory.waiting()}
    if home_node_id(home) not in waiting:
        raise NotFound(f"no home {home!r} waits")
    return put(here, msgspec.structs.replace(waiting[home_node_id(home)], parent_id=parent), act.doing())


@router.post("/tree/remove")
def remove_node(here: Here, act: Planting, node: NodeField) -> Response:
    """Take a node from the tree, with the grants and keys on it and below; its data stay."""
    known = found(act, node)
    act.at_node(known.parent_id or "")
    here.people.tree.remove(known.id, act.doing())
    here.people.directory.forget()
    return RedirectResponse("/tree", status_code=303)


def put(here: Context, node: Node, doing: Doing) -> Response:
    """Put a node where it is wanted. Raises InvalidRequest where it cannot stand there."""
    try:
        here.people.tree.put([node], doing)
    except BrokenTree as error:
        raise InvalidRequest(str(error)) from error
    here.people.directory.forget()
    return RedirectResponse("/tree", status_code=303)


def found(act: Act, wanted: str) -> Node:
    """That node. Raises NotFound where the reader may not change it, InvalidRequest for the root."""
    act.at_node(wanted)
    node = act.tree.get(wanted)
    if node is None or node.parent_id is None:
        raise InvalidRequest("the root stays as it is")
    return node


def tops(act: Act) -> list[Node]:
    """The highest nodes at which the reader may change the tree."""
    held = {grant.node_id for grant in act.caller.grants if Right.TREE in grant.rights}
    highest = [one for one in sorted(held) if not any(act.tree.is_within(one, other) for other in held - {one})]
    return [node for node in map(act.tree.get, highest) if node is not None]


def places_for(act: Act, kind: NodeKind, t: Texts) -> list[NodeChoice]:
    """Where a node of that kind may stand, of the places that the reader may change."""
    nodes = (node for node in act.tree.below(ROOT_ID) if node.kind in kind.parents)
    return [
        NodeChoice(node.id, way_to(act.tree, node.id, t))
        for node in nodes
        if may_at(act.caller, Right.TREE, node.id, act.tree)
    ]


def furnaces_by_home(sight: Reader) -> dict[str, list[Node]]:
    """The furnaces that announced themselves, by the id of their home's node, as they would stand on the tree."""
    found: dict[str, list[Node]] = {}
    for row in overview.furnaces(sight):
        parent_id, made = home_node_id(row.home_id), node_id(NodeKind.FURNACE, f"{row.home_id}/{row.name}")
        node = Node(id=made, parent_id=parent_id, name_zh=row.name_zh, name_en=row.name_en)
        found.setdefault(parent_id, []).append(node)
    return found


def shown(
    act: Act, node: Node, heard: Mapping[str, Sequence[Node]], t: Texts, changing: str, is_top: bool = True
) -> ShownNode:
    """A node for the page, with everything below it; furnaces that were announced stand there by themselves."""
    announced = [one for one in heard.get(node.id, ()) if act.tree.get(one.id) is None]
    below = [*act.tree.children(node.id), *announced]
    return ShownNode(
        id=node.id,
        kind=node.kind,
        name=name_of(node, t),
        name_zh=node.name_zh,
        name_en=node.name_en,
        parent_id=node.parent_id,
        children=[shown(act, child, heard, t, changing, False) for child in below],
        places=places_for(act, node.kind, t) if node.id == changing else [],
        may_change=not is_top and node.kind not in (NodeKind.ALL, NodeKind.FURNACE),
    )
