"""A wrong configuration file is one line and exit code 2, for `check` and for `serve` alike."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_service.__main__ import main
from ingest_service.config import Config
from ingest_service.config_file import load_config

WRONG = [
    pytest.param("[http]\nport = 0", "http.port: 0 is out of range (allowed: 1 to 65535)", id="a page on port 0"),
    pytest.param("[http]\nport = 65536", "http.port: 65536 is out of range", id="a page on a port beyond the last"),
    pytest.param("[broker]\nport = -1", "broker.port: -1 is out of range (allowed: 1 to", id="a broker on port -1"),
    pytest.param("[broker]\nkeepalive_s = 0", "broker.keepalive_s: 0 is out of range", id="a keepalive of nothing"),
    pytest.param("[broker]\nkeepalive_s = -5", "broker.keepalive_s: -5 is out of range", id="a negative keepalive"),
    pytest.param(
        "[judging]\nsilent_after_s = 0.0",
        "judging.silent_after_s: 0.0 is out of range (allowed: more than 0",
        id="an edge that is silent at once",
    ),
    pytest.param(
        "[judging]\nsilent_after_s = inf", "judging.silent_after_s: inf is out of", id="an edge that is never silent"
    ),
    pytest.param("[storage]\ntimeout_s = -1", "storage.timeout_s: -1 is out of range", id="a negative timeout"),
    pytest.param("[storage]\ntimeout_s = nan", "storage.timeout_s: nan is out of range", id="a timeout of no number"),
    pytest.param(
        '[judging]\ntime_zone = "Asia/Shanhai"',
        "judging.time_zone: unknown time zone 'Asia/Shanhai', did you mean 'Asia/Shanghai'? (allowed: names as",
        id="a misspelt time zone",
    ),
    pytest.param(
        '[judging]\ntime_zone = "Asia"', "judging.time_zone: unknown time zone 'Asia'", id="a continent as a time zone"
    ),
    pytest.param(
        '[judging]\ntime_zone = "../UTC"', "judging.time_zone: unknown time zone '../UTC'", id="a path as a time zone"
    ),
    pytest.param('[judging]\ntime_zone = ""', "judging.time_zone: unknown time zone ''", id="an empty time zone"),
    pytest.param(
        '[[webhook]]\nurl = "https://example.org"\nlocale = "fr"',
        "webhook[0].locale: unknown value 'fr' (allowed: zh, en)",
        id="a webhook in a language that alarms do not speak",
    ),
    pytest.param(
        '[[webhook]]\nurl = "ftp://example.org"',
        "webhook[0].url: 'ftp://example.org' is no address (allowed: http://..., https://...)",
        id="a webhook that is not of the web",
    ),
    pytest.param('[[webhook]]\nurl = "text"', "webhook[0].url: 'text' is no address", id="a webhook at some text"),
    pytest.param('[[webhook]]\nurl = "http://:80"', "webhook[0].url: 'http://:80'", id="a webhook without a host"),
    pytest.param('[[webhook]]\nurl = "http://a:b"', "webhook[0].url: 'http://a:b'", id="a webhook whose port is text"),
    pytest.param('[[webhook]]\nlocale = "zh"', "webhook[0].url: is missing", id="a webhook without an address"),
    *(
        pytest.param(
            f'[{table}]\n{key} = "certs/none.pem"',
            f"{table}.{key}: there is no file {{folder}}/certs/none.pem",
            id=f"a {key} of the {table} that is not there",
        )
        for table, key in (
            ("broker", "ca_file"),
            ("broker", "cert_file"),
            ("broker", "key_file"),
            ("storage", "ca_file"),
        )
    ),
    pytest.param('[broker]\nca_file = "."', "broker.ca_file: there is no file {folder}", id="a folder as a ca_file"),
    pytest.param(
        '[http]\nhots = "::1"',
        "http.hots: unknown key, did you mean 'host'? (allowed: host, port, trusted_proxies)",
        id="a misspelt key",
    ),
    pytest.param(
        "[storage.retention]\nraw_day = 5",
        "storage.retention.raw_day: unknown key, did you mean 'raw_days'? (allowed: raw_days, minute_days, hour_days)",
        id="a misspelt key of an inner table",
    ),
    pytest.param(
        '[[judging.furnace]]\n[[judging.furnace]]\nfule = "gas"',
        "judging.furnace[1].fule: unknown key, did you mean 'fuel'? (allowed: home, furnace, packs",
        id="a misspelt key of the second furnace",
    ),
    pytest.param(
        "[brokr]",
        "brokr: unknown key, did you mean 'broker'? "
        "(allowed: broker, storage, http, judging, cremations, webhook, people)",
        id="a misspelt table",
    ),
    pytest.param(
        '[http]\ntrusted_proxies = ["127.0.0.1", "proxy"]',
        "http.trusted_proxies[1]: 'proxy' is no address or network (allowed: 127.0.0.1, 10.0.0.0/24, ::1)",
        id="a name for the address of a proxy",
    ),
    pytest.param(
        "[http]\nzzz = 1",
        "http.zzz: unknown key (allowed: host, port, trusted_proxies)",
        id="a key that is near to none",
    ),
    pytest.param('[http]\nport = "80"', "http.port: expected a whole number, got text", id="a number in quotes"),
    pytest.param("[broker]\nhost = 1", "broker.host: expected text, got a whole number", id="a number for a name"),
    pytest.param('[broker]\ntopics = "a"', "broker.topics: expected a list, got text", id="a text for a list"),
    pytest.param("[broker]\ntopics = [1]", "broker.topics[0]: expected text, got a whole", id="a number in a list"),
    pytest.param("broker = 1", "broker: expected a table, got a whole number", id="a number for a table"),
    pytest.param("[storage]\nshared = 1", "storage.shared: expected true or false, got", id="a number for yes or no"),
    pytest.param(
        '[judging]\nbarometric_pa = "high"',
        "judging.barometric_pa: expected a number, got text",
        id="a text for a number that may be left out",
    ),
    pytest.param("[storage.retention]\nraw_days = -1", "storage.retention: days to keep", id="a negative retention"),
    pytest.param(
        '[storage]\nkind = "influx"',
        "storage.kind: unknown value 'influx', did you mean 'influxdb'? (allowed: embedded, influxdb, victoriametrics)",
        id="a store of an unknown kind",
    ),
    pytest.param('[broker]\nmqtt = "4"', "broker.mqtt: unknown value '4' (allowed: 3.1.1, 5)", id="an unknown MQTT"),
    pytest.param(
        '[[judging.furnace]]\nfuel = "coal"',
        "judging.furnace[0].fuel: unknown value 'coal' (allowed: gas",
        id="an unknown fuel",
    ),
    pytest.param(
        '[judging]\npacks = ["gb13801-2015-tabel2"]',
        "judging.packs: no rule pack 'gb13801-2015-tabel2', did you mean 'gb13801-2015-table2'? (allowed: ",
        id="a misspelt rule pack",
    ),
    pytest.param(
        '[[judging.furnace]]\npacks = ["none"]',
        "judging.furnace[0].packs: no rule pack 'none' (allowed: ",
        id="an unknown rule pack of one furnace",
    ),
    pytest.param("[http", "is no valid TOML", id="half a table"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "service.toml"


@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize(("text", "line"), WRONG)
def test_refused_in_one_line_with_exit_code_2(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, line: str, command: str
) -> None:
    file.write_text(text, encoding="utf-8")
    assert main([command, str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ingest-service: {file}: {line.format(folder=file.parent)}")
    assert said.count("\n") == 1


def test_certificates_count_from_the_folder_of_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "ca.pem").touch()
    file.write_text('[broker]\nca_file = "ca.pem"\n[storage]\nca_file = "ca.pem"\n', encoding="utf-8")
    monkeypatch.chdir("/")
    config = load_config(file)
    assert config.broker.ca_file == config.storage.ca_file == str(file.parent / "ca.pem")


def test_an_empty_file_holds_the_defaults_but_for_the_folder(file: Path) -> None:
    file.touch()
    config, defaults = load_config(file), Config()
    assert (config.broker, config.http, config.judging) == (defaults.broker, defaults.http, defaults.judging)
    assert config.storage.folder == str(file.parent / "clearstack-data")


SECRETS = [
    pytest.param('[broker]\npassword_env = "CLEARSTACK_NOT_SET"', "broker.password_env", id="the broker's password"),
    pytest.param(
        '[storage]\nkind = "influxdb"\ntoken_env = "CLEARSTACK_NOT_SET"', "storage.token_env", id="the store's token"
    ),
    pytest.param(
        '[[webhook]]\nurl = "https://example.org"\nsecret_env = "CLEARSTACK_NOT_SET"',
        "webhook[0].secret_env",
        id="the signing key of a webhook",
    ),
]


@pytest.mark.parametrize(("text", "key"), SECRETS)
def test_check_warns_of_a_secret_that_is_not_set(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, key: str
) -> None:
    file.write_text(text, encoding="utf-8")
    assert main(["check", str(file)]) == 0
    warning = f"ingest-service: warning: {file}: {key}: environment variable CLEARSTACK_NOT_SET is not set\n"
    assert capsys.readouterr().err == warning


@pytest.mark.parametrize(("text", "key"), SECRETS)
def test_serve_refuses_a_secret_that_is_not_set_before_it_makes_anything(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, key: str
) -> None:
    file.write_text(text, encoding="utf-8")
    assert main(["serve", str(file)]) == 2
    line = f"ingest-service: {file}: {key}: environment variable CLEARSTACK_NOT_SET is not set\n"
    assert capsys.readouterr().err == line
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        pytest.param("taken/data", "Not a directory", id="below a file"),
        pytest.param("taken", "File exists", id="where a file is"),
        pytest.param("/proc/clearstack", "No such file", id="on a file system that takes none"),
    ],
)
def test_a_storage_folder_that_cannot_be_made_is_one_line_and_exit_code_1(
    file: Path, capsys: pytest.CaptureFixture[str], folder: str, why: str
) -> None:
    (file.parent / "taken").touch()
    file.write_text(f'[storage]\nfolder = "{folder}"', encoding="utf-8")
    assert main(["serve", str(file)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"ingest-service: {file}: storage.folder: {file.parent / folder} cannot be made: {why}")
    assert said.count("\n") == 1


def test_serve_without_a_file_says_where_page_and_data_are(tmp_path: Path) -> None:
    (tmp_path / "clearstack-data").touch()  # so that it ends by itself, whatever else uses the port
    ended = subprocess.run(
        [sys.executable, "-m", "ingest_service", "serve"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    logged, refused = ended.stderr.splitlines()
    line = json.loads(logged)
    assert (line["page"], line["folder"]) == ("http://127.0.0.1:8080", str(tmp_path / "clearstack-data"))
    assert (ended.returncode, refused.partition(": storage")[0]) == (1, "ingest-service: defaults")
