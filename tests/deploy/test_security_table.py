"""The table of security requirements: every test it names exists, and every line says how its requirement holds."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "deploy" / "security" / "asvs.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split("|") for line in TABLE.splitlines() if re.match(r"\| \d", line)]
NAMED = sorted(set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", TABLE)))
FILES = re.findall(r"`((?:deploy|ingest_service)/[\w./-]+)`", TABLE)


@cache
def known_tests(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    assert len(NAMED) > 60
    assert [f"{file}::{test}" for file, test in NAMED if test not in known_tests(file)] == []


def test_every_file_that_is_named_exists() -> None:
    assert FILES
    assert [file for file in FILES if not (ROOT / file).exists()] == []


def test_each_requirement_stands_once_and_in_order() -> None:
    ids = [tuple(int(part) for part in row[0].strip().split(".")) for row in ROWS]
    assert ids == sorted(set(ids))
    assert {len(one) for one in ids} == {3}
    assert {one[0] for one in ids} == set(range(1, 17))


def test_every_line_says_how_its_requirement_holds() -> None:
    assert [row[0] for row in ROWS if len(row) != 3 or not row[1].strip() or not row[2].strip()] == []


def test_what_is_not_met_is_said() -> None:
    assert len(re.findall(r"\*\*(not|left)", TABLE)) >= 5
