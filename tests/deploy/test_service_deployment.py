from pathlib import Path

import pytest

from ingest_service.__main__ import main
from ingest_service.config import Config
from ingest_service.config_file import load_config
from ingest_service.people.treefile import read_tree

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "service.toml"


def test_the_example_is_a_service_file_whose_rule_packs_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(EXAMPLE)]) == 0
    assert "gb13801-2015-table2" in capsys.readouterr().out


def test_what_the_example_says_of_defaults_holds() -> None:
    config, defaults = load_config(EXAMPLE), Config()
    assert config.broker == defaults.broker
    assert config.http == defaults.http
    assert config.people == defaults.people
    assert (config.judging.packs, config.judging.time_zone) == (defaults.judging.packs, defaults.judging.time_zone)


def test_a_misspelt_key_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "service.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace("[http]\nhost", "[http]\nhots"), encoding="utf-8")
    assert main(["check", str(file)]) == 2
    line = capsys.readouterr().err.strip()
    assert "\n" not in line
    assert "service.toml: http" in line
    assert "hots" in line


def test_what_the_example_says_of_people_can_be_taken_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARSTACK_OIDC_SECRET", "x")
    text = EXAMPLE.read_text(encoding="utf-8")
    lines = text[text.index("[people]") : text.index("[judging]")].splitlines()
    taken = [line.removeprefix("# ").partition("   #")[0] for line in lines if line]
    file = tmp_path / "service.toml"
    file.write_text("\n".join(taken), encoding="utf-8")
    people = load_config(file).people
    assert people.provider is not None
    assert (people.sign_in, people.session_days, people.provider.grant[0].role) == ("required", 7.0, "auditor")


def test_the_example_is_a_tree() -> None:
    tree = read_tree(EXAMPLE.with_name("tree.toml"))
    assert tree.homes_below("city:jiangcheng") == {"beishan", "qingshan"}
    assert tree.homes_below("district:chengbei") == {"beishan"}
