"""A tree as people write it: a TOML file of cities, districts, homes and furnaces."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec

from ingest_service.errors import ConfigError
from ingest_service.people.nodes import ROOT_ID, Node, NodeKind, node_id
from ingest_service.people.tree import BrokenTree, Tree

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=150, pattern=r"^[^/#+\x00-\x1f]+$")]


class FurnaceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A furnace by the name that its devices give it."""

    id: Name
    name_zh: str = ""
    name_en: str = ""


class HomeEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A funeral home; `id` is its Sparkplug group."""

    id: Name
    name_zh: str = ""
    name_en: str = ""
    furnace: tuple[FurnaceEntry, ...] = ()


class DistrictEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A district of a city."""

    id: Name
    name_zh: str = ""
    name_en: str = ""
    home: tuple[HomeEntry, ...] = ()


class CityEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A city, with homes in districts or right below it."""

    id: Name
    name_zh: str = ""
    name_en: str = ""
    district: tuple[DistrictEntry, ...] = ()
    home: tuple[HomeEntry, ...] = ()


class TreeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file: cities, and homes that belong to none."""

    city: tuple[CityEntry, ...] = ()
    home: tuple[HomeEntry, ...] = ()


def read_tree(path: Path) -> Tree:
    """The tree of a file. Raises ConfigError with one clear line."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"is no valid TOML: {error}") from error
    try:
        return Tree(_nodes(msgspec.convert(raw, TreeFile)))
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        raise ConfigError(str(path), *_explained(problem, where.strip("`."))) from error
    except BrokenTree as error:
        where, _, problem = str(error).partition(": ")
        raise ConfigError(str(path), where, problem) from error


def _explained(problem: str, where: str) -> tuple[str, str, str]:
    """Key, problem and what is allowed, in the words of someone who edits the file."""
    if "unknown field" in problem:
        key = problem.partition("`")[2].partition("`")[0]
        fields = _fields_at(where)
        return f"{where}.{key}".strip("."), "unknown key", ", ".join(fields)
    if "missing required" in problem:
        return f"{where}.id".strip("."), "is missing", "the id of the node"
    if "regex" in problem or "length" in problem:
        return where, "is no id", "1 to 150 characters without / # +"
    return where, problem[:1].lower() + problem[1:].replace("`", ""), ""


def _fields_at(where: str) -> tuple[str, ...]:
    """The keys that a table at a path like `city[0].district[1]` may have."""
    shape: Any = TreeFile
    steps = {"city": CityEntry, "district": DistrictEntry, "home": HomeEntry, "furnace": FurnaceEntry}
    for name in where.split("."):
        shape = steps.get(name.partition("[")[0], shape)
    return tuple(shape.__struct_fields__)


def _nodes(file: TreeFile) -> Iterator[Node]:
    for city in file.city:
        city_id = node_id(NodeKind.CITY, city.id)
        yield Node(id=city_id, parent_id=ROOT_ID, name_zh=city.name_zh, name_en=city.name_en)
        for district in city.district:
            district_id = node_id(NodeKind.DISTRICT, district.id)
            yield Node(id=district_id, parent_id=city_id, name_zh=district.name_zh, name_en=district.name_en)
            yield from _homes(district.home, district_id)
        yield from _homes(city.home, city_id)
    yield from _homes(file.home, ROOT_ID)


def _homes(homes: tuple[HomeEntry, ...], parent_id: str) -> Iterator[Node]:
    for home in homes:
        home_id = node_id(NodeKind.HOME, home.id)
        yield Node(id=home_id, parent_id=parent_id, name_zh=home.name_zh, name_en=home.name_en)
        for furnace in home.furnace:
            furnace_id = node_id(NodeKind.FURNACE, f"{home.id}/{furnace.id}")
            yield Node(id=furnace_id, parent_id=home_id, name_zh=furnace.name_zh, name_en=furnace.name_en)


def written(tree: Tree, waiting: Iterable[Node] = ()) -> str:
    """The tree as such a file; homes that stand nowhere yet are added as comments, to be put where they belong."""
    lines: list[str] = []
    for node in tree.below(ROOT_ID):
        if node.kind is not NodeKind.ALL:
            lines += [*_table(tree, node), ""]
    lines += [f"# announced, on the tree nowhere: {node.name} ({node.name_zh} / {node.name_en})" for node in waiting]
    return "\n".join(lines).strip() + "\n" if lines else ""


def _table(tree: Tree, node: Node) -> list[str]:
    steps = [step.kind for step in tree.path(node.id)[1:]]
    name = node.name.removeprefix(f"{tree.path(node.id)[-2].name}/") if node.kind is NodeKind.FURNACE else node.name
    fields = {"id": name, "name_zh": node.name_zh, "name_en": node.name_en}
    told = [f"{key} = {_quoted(value)}" for key, value in fields.items() if value]
    return [f"[[{'.'.join(steps)}]]", *told]


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are a part of its own."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
