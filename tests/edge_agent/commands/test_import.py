from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.devices.files import load_profile

LIST = "变量名;地址;数据类型;单位\n主燃室温度;4x0001;REAL;℃\n坏的;DB1.DBD4;REAL;\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_bytes(LIST.encode("gbk"))
    return tmp_path


def test_the_profile_is_written_and_each_refused_row_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "list.csv", "--id", "my-plc"]) == 1
    profile = load_profile("my-plc.toml", folder)
    assert [channel.quantity for channel in profile.channels] == ["chamber1_temperature"]
    err = capsys.readouterr().err
    assert 'list.csv: row 3: 地址: "DB1.DBD4" is an address in a data block' in err
    assert "list.csv: 1 of 2 rows used, 1 refused, 0 to be looked at" in err


def test_a_list_without_faults_ends_with_0(folder: Path) -> None:
    (folder / "good.csv").write_text("name,address,type\nspeed,HR0,INT\n", encoding="utf-8")
    assert main(["import", "good.csv", "--id", "good", "--out", "other.toml", "--order", "CDAB"]) == 0
    assert load_profile("other.toml", folder).channels[0].name == "speed"


def test_the_profile_goes_to_stdout_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["import", "list.csv", "--id", "my-plc", "--out", "-"])
    captured = capsys.readouterr()
    assert 'quantity = "chamber1_temperature"' in captured.out
    assert "wrote" in captured.err
    assert not (folder / "my-plc.toml").exists()


def test_a_file_is_written_over_only_when_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "my-plc.toml").write_text("mine", encoding="utf-8")
    assert main(["import", "list.csv", "--id", "my-plc"]) == 2
    assert (folder / "my-plc.toml").read_text(encoding="utf-8") == "mine"
    assert "my-plc.toml: exists already" in capsys.readouterr().err
    assert main(["import", "list.csv", "--id", "my-plc", "--force"]) == 1


def test_a_column_with_a_heading_of_its_own_is_mapped(folder: Path) -> None:
    (folder / "odd.csv").write_text("Wert,Platz,type\nspeed,HR0,INT\n", encoding="utf-8")
    assert main(["import", "odd.csv", "--id", "odd", "--map", "Wert=name", "--map", "Platz=address"]) == 0
    assert load_profile("odd.toml", folder).channels[0].name == "speed"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.csv", "--id", "x"), "nowhere.csv: cannot be read"),
        (("list.csv", "--id", "a/b"), "--id: "),
        (("list.csv", "--id", "x", "--map", "地址"), 'is not HEADING=KEY (allowed: name, name_zh'),
        (("list.csv", "--id", "x", "--map", "Platz=unit"), 'there is no column "platz" (allowed: '),
        (("list.csv", "--id", "x", "--map", "地址=place"), 'is not HEADING=KEY (allowed: name, name_zh'),
        (("list.csv", "--id", "x", "--out", "nowhere/x.toml"), "cannot be written: No such file"),
        (("bad.csv", "--id", "x"), "none of 1 rows can be used"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_ends_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    (folder / "bad.csv").write_text("name,address,type\nspeed,DB1.DBD0,REAL\n", encoding="utf-8")
    assert main(["import", *arguments]) == 2
    assert said in capsys.readouterr().err
