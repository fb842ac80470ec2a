"""The table of the specification's assertions is complete, and names tests that exist."""

import ast
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
# How many assertions the specification has under each first words of their ids.
COUNTS = {
    "intro-": 8, "principles-": 4, "components-": 1, "topic-structure": 10, "topics-": 41, "host-topic-": 16,
    "case-": 2, "message-flow-": 34, "operational-behavior-": 63, "payloads-": 108, "conformance-": 12,
}  # fmt: skip


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tests: list[str]
    ids: list[str]


class NotOurs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    ids: list[str]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    held: list[Held]
    not_ours: list[NotOurs]


TABLE = msgspec.convert(tomllib.loads((HERE / "assertions.toml").read_text(encoding="utf-8")), Table)
IDS = [name for held in TABLE.held for name in held.ids] + [name for other in TABLE.not_ours for name in other.ids]
TESTS = sorted({test for group in TABLE.held for test in group.tests})


@cache
def functions(file: Path) -> set[str]:
    """The names of a test file's functions that assert something."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name for node in found if any(_checks(inner) for inner in ast.walk(node))}


def _checks(node: ast.AST) -> bool:
    """An assertion, or a call that fails where something does not hold."""
    names = {"raises", "check_connections"}
    called = node.func if isinstance(node, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return isinstance(node, ast.Assert) or name in names


def test_each_assertion_stands_once() -> None:
    assert [name for name, count in Counter(IDS).items() if count > 1] == []


@pytest.mark.parametrize(("beginning", "count"), COUNTS.items())
def test_no_assertion_is_left_out(beginning: str, count: int) -> None:
    assert len([name for name in IDS if name.startswith(beginning)]) == count


def test_there_are_no_others() -> None:
    assert len(IDS) == sum(COUNTS.values()) == 299


@pytest.mark.parametrize("test", TESTS)
def test_what_holds_an_assertion_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    path = ROOT / file if "/" in file else HERE / file
    assert name in functions(path)


@pytest.mark.parametrize("group", TABLE.not_ours, ids=lambda group: group.ids[0])
def test_what_asks_nothing_of_us_says_why(group: NotOurs) -> None:
    assert len(group.reason.split()) > 5
