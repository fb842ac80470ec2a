from pathlib import Path

import pytest

from edge_agent.__main__ import main
from tests.edge_agent.sites import SITE, write_site


def test_check_sums_a_site_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(write_site(tmp_path))]) == 0
    out = capsys.readouterr().out
    assert "songhe/edge1: 2 devices behind 1 connections" in out
    assert "furnace2: furnace 2, unit 2 on plc, profile furnace (example), 4 channels, 3.0 requests/s" in out
    assert "8 channels, 6.0 requests per second" in out


def test_what_this_machine_lacks_and_what_is_read_twice_is_a_remark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = 'password_env = "PASSWORD_THAT_NOBODY_SET"\n'
    site = SITE.replace("[broker]\n", f"[broker]\n{broker}").replace("unit_id = 2", "unit_id = 1")
    assert main(["check", str(write_site(tmp_path, site=site))]) == 0
    out = capsys.readouterr().out
    assert f"broker.ca_file: {tmp_path / 'ca.pem'} is not on this machine" in out
    assert "broker.password_env: PASSWORD_THAT_NOBODY_SET is not set" in out
    assert 'device "furnace2" reads the same unit by the same profile as device "furnace1"' in out
    assert out.endswith("in order; mind the remarks.\n")


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_site(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("songhe/edge1: 2 devices")


def test_channels_that_are_read_together_cost_nothing_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(write_site(tmp_path, counter="scan_s = 10"))]) == 0
    assert "8 channels, 6.0 requests per second" in capsys.readouterr().out


def test_plan_shows_every_read_and_what_it_saves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(write_site(tmp_path))]) == 0
    out = capsys.readouterr().out
    assert "holding      0 to     2     3 registers  co, counter" in out
    assert "coil         0 to     0     1 bits       door" in out
    assert out.count("all at once: 3 reads instead of 4, 25 % saved") == 2


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_wrong_file_is_one_line_on_stderr_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    path = write_site(tmp_path, site=SITE.replace("unit_id", "unitid"))
    assert main([command, str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(
        f'edge-agent: {path}: device[1] "furnace1".unitid: unknown key, did you mean "unit_id"?'
    )
    assert captured.err.count("\n") == 1


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["chek"])
    assert caught.value.code == 2
    assert "check" in capsys.readouterr().err
