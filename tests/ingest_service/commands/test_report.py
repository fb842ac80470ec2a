"""`ingest-service report` as a person types it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.__main__ import main
from ingest_service.config import Http
from ingest_service.emissions.marks import PlantState
from ingest_service.store.doing import Doing
from ingest_service.store.marks import MarkEntry, MarkStore
from tests.support.browser import served
from tests.support.city import HOUR_MS, NOW_MS, small_city

WHO = ("--furnace", "beishan/furnace-1")
WHEN = ("--day", "2026-03-10")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running service."""
    with small_city(tmp_path_factory.mktemp("served"), Http(port=0)) as city, served(city) as found:
        yield found


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a service that does not run, with a city's data."""
    folder = tmp_path_factory.mktemp("stopped")
    with small_city(folder / "data"):
        pass
    file = folder / "service.toml"
    file.write_text('[storage]\nfolder = "data"\n')
    return file


def test_a_report_is_read_from_the_stores(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "day.csv"
    code = main(["report", "--config", str(config), *WHO, *WHEN, "--format", "csv", "--lang", "en", "--out", str(out)])
    assert code == 0, capsys.readouterr().err
    assert capsys.readouterr().out.strip() == str(out)
    assert "Hydrogen chloride" in out.read_text(encoding="utf-8-sig")


def test_the_running_service_gives_the_same_bytes(config: Path, address: str, tmp_path: Path) -> None:
    for form in ("html", "csv", "xlsx"):
        common = (*WHO, *WHEN, "--format", form, "--lang", "en", "--out")
        assert main(["report", "--config", str(config), *common, str(tmp_path / "read")]) == 0
        assert main(["report", "--url", address, *common, str(tmp_path / "asked")]) == 0
        assert (tmp_path / "read").read_bytes() == (tmp_path / "asked").read_bytes()


@pytest.mark.parametrize(
    ("recorded_ms", "said"),
    [
        pytest.param(NOW_MS + HOUR_MS, "Provisional: not judged yet with the mark of 2026-03-09", id="after it"),
        pytest.param(NOW_MS - 20 * HOUR_MS, "Final: judged to its end", id="before it"),
    ],
)
def test_a_report_from_the_stores_says_whether_a_mark_came_after_the_last_judgement(
    recorded_ms: int, said: str, tmp_path: Path
) -> None:
    with small_city(tmp_path / "data") as city:
        hour_ms = NOW_MS // HOUR_MS * HOUR_MS - 24 * HOUR_MS
        entry = MarkEntry(furnace_id=1, state=PlantState.FAULT, start_ms=hour_ms, end_ms=hour_ms + HOUR_MS)
        MarkStore(city.engine, city.trail).enter(entry, Doing("Li", "127.0.0.1", recorded_ms, "fan tripped"))
    config, out = tmp_path / "service.toml", tmp_path / "day.csv"
    config.write_text('[storage]\nfolder = "data"\n')
    asked = (*WHO, "--day", "2026-03-09", "--format", "csv", "--lang", "en", "--out", str(out))
    assert main(["report", "--config", str(config), *asked]) == 0
    assert said in out.read_text(encoding="utf-8-sig")


def test_a_file_is_named_for_what_it_holds(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "--url", address, "--home", "beishan", "--month", "2026-03", "--format", "xlsx"]) == 0
    assert capsys.readouterr().out.strip() == "beishan-2026-03-zh.xlsx"
    assert (tmp_path / "beishan-2026-03-zh.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--furnace", "beishan/nope", *WHEN), "beishan/furnace-1, beishan/furnace-2"),
        (("--furnace", "beishan", *WHEN), "HOME/FURNACE"),
        (("--home", "nope", *WHEN), "beishan, donghu, nanping"),
        ((*WHO, "--day", "2026-02-30"), "write it as 2026-11-23"),
        ((*WHO, "--cremation", "nope"), "there is no cremation 'nope'"),
        ((*WHO, *WHEN, "--out", "nowhere/at/all.html"), "cannot be written"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(
    config: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--config", str(config), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_service_that_refuses_or_does_not_answer_is_one_line(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--url", address, "--home", "nope", *WHEN]) == 1
    assert "404" in capsys.readouterr().err
    assert main(["report", "--url", "http://127.0.0.1:9", *WHO, *WHEN]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["report", "--url", address, "--key-env", "CLEARSTACK_NO_SUCH", *WHO, *WHEN]) == 2
