"""From the configuration's file to the packs of each furnace."""

from importlib.resources import files
from pathlib import Path

import pytest

from ingest_service.config_file import load_config
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.errors import ConfigError
from ingest_service.rules import rule_book

TABLE_2 = files("ingest_service.emissions.rules").joinpath("gb13801-2015-table2.toml").read_text(encoding="utf-8")


def book(folder: Path, text: str) -> RuleBook:
    file = folder / "service.toml"
    file.write_text(text, encoding="utf-8")
    return rule_book(load_config(file).judging, str(file))


def own_pack(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    text = TABLE_2
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, encoding="utf-8")


PERMIT = ('id = "gb13801-2015-table2"', 'id = "permit-f1"\nkind = "permit"')


def test_without_a_word_every_furnace_is_under_table_2(tmp_path: Path) -> None:
    assert [pack.key for pack in book(tmp_path, "").of("any", "f1")] == ["gb13801-2015-table2@1"]


def test_a_furnace_has_the_packs_of_its_kind_and_its_permit_on_top(tmp_path: Path) -> None:
    own_pack(tmp_path, "permit.toml", PERMIT, ("limit = 30.0", "limit = 20.0"))
    found = book(
        tmp_path,
        """
        [[judging.furnace]]
        home = "h1"
        furnace = "f1"
        jurisdiction = "CN"
        fuel = "gas"
        permit = "permit.toml"

        [[judging.furnace]]
        home = "h1"
        furnace = "pot"
        jurisdiction = "CN"
        unit_type = "offering_incinerator"
        """,
    )
    assert [pack.id for pack in found.of("h1", "f1")] == ["gb13801-2015-table2", "permit-f1"]
    assert [pack.id for pack in found.of("h1", "pot")] == ["gb13801-2015-table3"]
    assert [pack.id for pack in found.of("h1", "f2")] == ["gb13801-2015-table2"]


def test_a_pack_of_the_site_is_named_by_its_file(tmp_path: Path) -> None:
    own_pack(tmp_path, "own.toml", ('version = "1"', 'version = "site"'))
    assert [pack.key for pack in book(tmp_path, '[judging]\npacks = ["own.toml"]\n').usual] == [
        "gb13801-2015-table2@site"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            '[[judging.furnace]]\njurisdiction = "XX"\n',
            r"service.toml: judging.furnace\[0\].jurisdiction: no pack for 'XX', cremator.*\(allowed: .*CN \(crem",
            id="a country of which there is no pack",
        ),
        pytest.param(
            '[[judging.furnace]]\nhome = "h1"\njurisdiction = "CN"\n' * 2,
            r"judging.furnace\[1\]: names the same home and furnace",
            id="two entries for one furnace",
        ),
        pytest.param(
            '[[judging.furnace]]\njurisdiction = "CN"\npermit = "missing.toml"\n',
            "missing.toml: cannot be read: No such file",
            id="a permit that is not there",
        ),
        pytest.param(
            '[[judging.furnace]]\njurisdiction = "CN"\npermit = "law.toml"\n',
            r"law.toml: kind: is law \(allowed: permit\)",
            id="a permit that is none",
        ),
        pytest.param(
            '[judging]\npacks = ["gb13801-2015-table2", "newer.toml"]\n',
            "both hold from 2015-07-01: end the older one with valid_to",
            id="two versions on one day",
        ),
        pytest.param(
            '[judging]\npacks = ["gb13801-2009"]\n',
            "no rule pack 'gb13801-2009' .*table2",
            id="a pack that is not there",
        ),
        pytest.param(
            '[judging]\npacks = ["broken.toml"]\n',
            r"broken.toml:\d+: limit\[0\].pollutant: .*hf.*allowed: dust",
            id="a pack with an unknown pollutant",
        ),
        pytest.param(
            '[[judging.furnace]]\njurisdiction = "CN"\nfuel = "coal"\n',
            r"judging.furnace\[0\].fuel",
            id="an unknown fuel",
        ),
    ],
)
def test_what_cannot_be_applied_is_refused_in_one_line_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    own_pack(tmp_path, "law.toml")
    own_pack(tmp_path, "newer.toml", ('version = "1"', 'version = "2"'))
    own_pack(tmp_path, "broken.toml", ('pollutant = "dust"', 'pollutant = "hf"'))
    with pytest.raises(ConfigError, match=problem) as refused:
        book(tmp_path, text)
    assert "\n" not in str(refused.value)
