"""`ingest-service rules` as a person types it."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from edge_agent.wire.durations import HOUR_MS
from ingest_service.__main__ import main
from ingest_service.commands.rules import Listed
from ingest_service.emissions.explanation import Explanation
from ingest_service.emissions.rulepack import pack_names
from tests.ingest_service.workers.city import START, City

NAME = "gb13801-2015-table2"
TEXT = files("ingest_service.emissions.rules").joinpath(f"{NAME}.toml").read_text(encoding="utf-8")


def test_the_list_for_programs_says_what_is_active_verified_and_from_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list", "--json"]) == 0
    packs = {pack.id: pack for pack in msgspec.json.decode(capsys.readouterr().out, type=list[Listed])}
    assert set(packs) == set(pack_names())
    assert (packs[NAME].active, packs[NAME].verified, packs[NAME].limits) == (True, True, 5)
    unread = packs["gb-pgn-5-2-25"]
    assert (unread.active, unread.verified, unread.limits) == (False, False, 0)
    assert unread.to_read
    assert all(pack.source for pack in packs.values())


def test_the_list_for_people_has_a_line_a_pack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(pack_names())
    assert any("not active" in line and "Note 5/2(25)" in line for line in lines)


def test_a_pack_is_shown_with_limits_clauses_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "de-27-bimschv"]) == 0
    shown = capsys.readouterr().out
    assert "chamber2_temperature >= 850 °C over ten_minutes: 27. BImSchV section 3 (2)" in shown
    assert "later changes were not looked for" in shown
    assert "dioxins <= 0.1 ng-TEQ/m3 (laboratory)" in shown


def test_every_pack_that_comes_with_the_product_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check"]) == 0
    assert capsys.readouterr().out.count(": sound, ") == len(pack_names())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('pollutant = "hcl"', 'pollutant = "hf"', "limit[4].pollutant: Invalid enum value 'hf'"),
        ('unit = "mg/m3"', 'unit = "ppm"', "limit[0]: unit ppm cannot be converted for dust, write it in mg/m3, ug/m3"),
        ("valid_minutes = 45", "valid_minutes = 99", "validity: "),
    ],
)
def test_a_wrong_file_gets_one_line_with_file_line_key_and_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    assert main(["rules", "check", str(file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ingest-service: {file}:")
    assert told in line


def test_overlapping_versions_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.toml").write_text(TEXT.replace('version = "1"', 'version = "2"', 1), encoding="utf-8")
    assert main(["rules", "check", NAME, str(tmp_path / "new.toml")]) == 2
    assert "both hold from 2015-07-01" in capsys.readouterr().err


def test_two_versions_are_compared_key_by_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newer = TEXT.replace('version = "1"', 'version = "2"', 1).replace("limit = 150.0", "limit = 100.0", 1)
    (tmp_path / "new.toml").write_text(newer, encoding="utf-8")
    assert main(["rules", "diff", NAME, str(tmp_path / "new.toml")]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "version: 1 -> 2",
        "limit[co clock_hour at_most].limit: 150.0 -> 100.0",
    ]
    assert main(["rules", "diff", NAME, NAME]) == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a service that has judged an hour and stands still."""
    city = City(tmp_path / "data", furnaces=1)
    city.feed(1, START, START + HOUR_MS, {"hcl": 40.0})
    city.settle(START + 2 * HOUR_MS)
    city.close()
    file = tmp_path / "service.toml"
    file.write_text('[storage]\nfolder = "data"\n[judging]\nbarometric_pa = 101325.0\n', encoding="utf-8")
    return file


AT = datetime.fromtimestamp(START / 1000, ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:20")


def explain(config: Path, *more: str, at: str = AT) -> list[str]:
    return ["rules", "explain", "--config", str(config), "--furnace", "h1/f1", "--pollutant", "hcl", "--at", at, *more]


def test_a_judged_hour_is_explained_from_the_stores(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(explain(config, "--minutes")) == 0
    told = capsys.readouterr().out
    assert "hcl over clock_hour" in told
    assert ": exceeded" in told
    assert "mean 50 mg/m3 (rounded 50); limit at_most 30 mg/m3" in told
    assert "clause: GB 13801-2015 Table 2, hydrogen chloride" in told
    assert "* 10 / (21 - O2)" in told
    assert "revision 0: exceeded, 50" in told
    assert told.count("measured 40 O2 13 judged 50") == 60


def test_the_explanation_for_programs_has_every_minute(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(explain(config, "--json")) == 0
    (told,) = msgspec.json.decode(capsys.readouterr().out, type=list[Explanation])
    assert told.mean == pytest.approx(50.0)
    assert (told.verdict, len(told.minutes), len(told.revisions)) == ("exceeded", 60, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"h1/f1": "h1/f9"}, "there is no furnace h1/f9 (allowed: h1/f1)"),
        ({"hcl": "hf"}, "'hf' is not known (allowed: dust"),
        ({AT: "yesterday"}, "'yesterday' is no moment"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], told: str
) -> None:
    assert main([change.get(word, word) for word in explain(config)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_a_pollutant_that_no_rule_judges_is_said_to_be_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["opacity" if word == "hcl" else word for word in explain(config)]
    assert main(asked) == 1
    assert "no rule in force judges opacity" in capsys.readouterr().out


def test_a_service_that_does_not_answer_is_said_to_be_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(explain(config, "--url", "http://127.0.0.1:9")) == 1
    assert "http://127.0.0.1:9/api/v1/homes/h1" in capsys.readouterr().err
