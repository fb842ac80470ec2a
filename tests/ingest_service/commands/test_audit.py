"""`ingest-service audit`: what an auditor types."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from ingest_service.__main__ import main
from ingest_service.audit.entry import Action, Entry
from ingest_service.store.audit import HEAD_FILE, AuditTrail
from ingest_service.store.database import database_url, open_database


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A service's file, and five acknowledgements in its trail."""
    engine = open_database(database_url(tmp_path, ""))
    trail = AuditTrail(engine, tmp_path / HEAD_FILE)
    for at in range(5):
        action = Action.ALARM_ACKNOWLEDGED
        trail.record(Entry(at_ms=at, who="li", address="::1", action=action, subject=f"alarm {at}"))
    engine.dispose()
    file = tmp_path / "service.toml"
    file.write_text('[storage]\nfolder = "."\n', encoding="utf-8")
    return file


def tamper(config: Path, *statements: str) -> None:
    engine = open_database(database_url(config.parent, ""))
    with engine.begin() as connection:
        for statement in ("DROP TRIGGER audit_record_update", "DROP TRIGGER audit_record_delete", *statements):
            connection.execute(text(statement))
    engine.dispose()


def verified(config: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    code = main(["audit", "verify", str(config), *words])
    return code, capsys.readouterr().out.splitlines()


def test_a_sound_trail_says_so_and_names_its_end(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = verified(config, capsys)
    end = (config.parent / HEAD_FILE).read_text().strip()
    assert (code, lines[0]) == (0, "sound: 5 records")
    assert lines[1].startswith(f"end of the trail: {end} ")


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE audit_record SET why = 'x' WHERE number = 3", "record 3 is not what was written: it was changed"),
        ("DELETE FROM audit_record WHERE number IN (2, 3)", "records 2 to 3 are missing"),
        ("DELETE FROM audit_record WHERE number = 5", "records 5 to 5 are missing at the end"),
        ("UPDATE audit_record SET number = 8 - number WHERE number IN (3)", "record 5"),
    ],
)
def test_a_touched_trail_says_what_and_where(
    config: Path, capsys: pytest.CaptureFixture[str], statement: str, line: str
) -> None:
    if "8 - number" in statement:  # the last record's place taken by another one
        tamper(config, "DELETE FROM audit_record WHERE number = 5", statement)
    else:
        tamper(config, statement)
    code, lines = verified(config, capsys)
    assert code == 1
    assert any(one.startswith(line) for one in lines), lines


def test_a_trail_cut_off_with_everything_beside_it_is_found_by_an_end_that_an_auditor_noted(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = verified(config, capsys)[1][1].split()[4]
    (config.parent / HEAD_FILE).unlink()
    tamper(
        config,
        "DELETE FROM audit_record WHERE number = 5",
        "UPDATE audit_head SET number = 4, digest = (SELECT digest FROM audit_record WHERE number = 4)",
    )
    assert verified(config, capsys)[0] == 0
    assert verified(config, capsys, "--head", noted)[0] == 1


def test_an_end_that_is_none_is_one_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", str(config), "--head", "5"]) == 2
    assert "NUMBER:DIGEST" in capsys.readouterr().err


def test_the_trail_is_written_to_a_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = config.parent / "trail.json"
    assert main(["audit", "export", str(config), "--out", str(out)]) == 0
    assert [one["entry"]["subject"] for one in json.loads(out.read_text())] == [f"alarm {at}" for at in range(5)]
    assert "5:" in capsys.readouterr().out


def test_another_kind_of_file_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "export", str(config), "--out", "trail.pdf"]) == 2
    assert "csv, json" in capsys.readouterr().err
