"""The tree as a file: what is read, what is refused and how, and that what is written reads the same."""

from pathlib import Path

import pytest

from ingest_service.errors import ConfigError
from ingest_service.people.nodes import Node
from ingest_service.people.tree import Tree
from ingest_service.people.treefile import read_tree, written

CITY = """\
[[city]]
id = "jiangcheng"
name_zh = "江城市"

[[city.district]]
id = "chengbei"

[[city.district.home]]
id = "beishan"
name_en = "Beishan \\"Old\\" Home"

[[city.district.home.furnace]]
id = "furnace-1"

[[city.home]]
id = "nanping"

[[home]]
id = "lone"
"""


def read(folder: Path, text: str) -> Tree:
    file = folder / "tree.toml"
    file.write_text(text, encoding="utf-8")
    return read_tree(file)


def test_a_file_is_read_with_every_level(tmp_path: Path) -> None:
    tree = read(tmp_path, CITY)
    assert {node.id: node.parent_id for node in tree.nodes.values() if node.parent_id} == {
        "city:jiangcheng": "all",
        "district:chengbei": "city:jiangcheng",
        "home:beishan": "district:chengbei",
        "furnace:beishan/furnace-1": "home:beishan",
        "home:nanping": "city:jiangcheng",
        "home:lone": "all",
    }


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    tree = read(tmp_path, CITY)
    text = written(tree, [Node(id="home:new", parent_id="all", name_zh="新馆")])
    assert text.startswith(CITY)
    assert text.splitlines()[-1] == "# announced, on the tree nowhere: new (新馆 / )"
    assert dict(read(tmp_path, text).nodes) == dict(tree.nodes)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[citty]]\nid = 'a'", "citty: unknown key (allowed: city, home)"),
        (
            "[[city]]\nid = 'a'\n[[city.district]]\nid = 'b'\nhomes = []",
            "city[0].district[0].homes: unknown key (allowed: id, name_zh, name_en, home)",
        ),
        ("[[home]]\nname_zh = 'x'", "home[0].id: is missing (allowed: the id of the node)"),
        ("[[home]]\nid = 'a/b'", "home[0].id: is no id (allowed: 1 to 150 characters without / # +)"),
        ("[[home]]\nid = ''", "home[0].id: is no id (allowed: 1 to 150 characters without / # +)"),
        ("[[home]]\nid = 5", "home[0].id: expected str, got int"),
        ("[[home]]\nid = 'a'\n[[home]]\nid = 'a'", "home:a: is there twice"),
        ("[[home]\n", "is no valid TOML"),
    ],
)
def test_a_wrong_file_is_one_line_with_key_and_what_is_allowed(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'tree.toml'}: {line}")


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_tree(tmp_path / "none.toml")
