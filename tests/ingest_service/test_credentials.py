"""Secrets come from the environment or a file, and no log line, error or check shows one."""

import io
import json
from pathlib import Path

import pytest
import structlog
from structlog.typing import Processor

from ingest_service.__main__ import main
from ingest_service.config import Broker, Config, Storage, StoreKind, Webhook
from ingest_service.credentials import MASK, Masking, secret, secrets_of, unusable_secrets, values_of
from ingest_service.errors import ConfigError
from ingest_service.people.settings import People, Provider

WORD = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{WORD}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_secret_is_what_the_variable_or_the_file_holds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_PASSWORD", WORD)
    assert secret("THE_PASSWORD", "", "service.toml", "broker.password") == WORD
    assert secret("", str(file), "service.toml", "broker.password") == WORD
    assert secret("", "", "service.toml", "broker.password") == ""


@pytest.mark.parametrize(
    ("variable", "content", "line"),
    [
        ("NOT_SET", None, "service.toml: broker.password_env: environment variable NOT_SET is not set"),
        ("", None, "service.toml: broker.password_file: {path} cannot be read: No such file or directory"),
        ("", b"\n", "service.toml: broker.password_file: {path} is empty"),
        ("", b"\xff\xfe", "service.toml: broker.password_file: {path} is no text"),
        ("NOT_SET", b"x", "service.toml: broker.password_file: stands beside _env: name one of them"),
    ],
)
def test_a_secret_that_cannot_be_had_is_one_line(
    tmp_path: Path, variable: str, content: bytes | None, line: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    named = str(path) if content is not None or not variable else ""
    with pytest.raises(ConfigError) as refused:
        secret(variable, named, "service.toml", "broker.password")
    assert str(refused.value) == line.format(path=path)


def everything(path: str) -> Config:
    provider = Provider(issuer="https://id", client_id="c", redirect_url="https://here", client_secret_file=path)
    return Config(
        broker=Broker(password_file=path),
        storage=Storage(kind=StoreKind.INFLUXDB, token_file=path, seal_key_file=path),
        webhook=(Webhook(url="https://example.org", secret_file=path),),
        people=People(provider=provider),
    )


def test_every_secret_of_the_configuration_is_known(file: Path) -> None:
    keys = {"broker.password", "storage.seal_key", "storage.token", "webhook[0].secret"}
    assert {one.key for one in secrets_of(everything(str(file)))} == {*keys, "people.provider.client_secret"}
    assert values_of(everything(str(file))) == (WORD,) * 5
    assert values_of(everything("/no/such/file")) == ()
    assert len(list(unusable_secrets(everything("/no/such/file")))) == 5


def test_files_of_secrets_count_from_the_folder_of_the_configuration(tmp_path: Path, file: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text('[broker]\npassword_file = "password"\n', encoding="utf-8")
    assert main(["check", str(config)]) == 0


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ('[broker]\npassword_file = "password"', "broker.password_file: everybody on this machine may read"),
        ('[storage]\ndatabase_url = "postgresql://c:wortlaut@db/c"', "storage.database_url: holds a password"),
    ],
)
def test_check_warns_of_a_secret_that_others_can_read_and_does_not_show_it(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str], text: str, warning: str
) -> None:
    file.chmod(0o644)
    config = tmp_path / "service.toml"
    config.write_text(text, encoding="utf-8")
    assert main(["check", str(config)]) == 0
    said = capsys.readouterr()
    assert warning in said.err
    assert "wortlaut" not in said.err + said.out
    assert WORD not in said.err + said.out


def logged(**fields: object) -> dict[str, object]:
    """The line as it leaves."""
    out = io.StringIO()
    processors: list[Processor] = [Masking((WORD, "short")), structlog.processors.JSONRenderer()]
    logger = structlog.wrap_logger(structlog.WriteLogger(out), processors=processors)
    logger.info("said", **fields)
    found: dict[str, object] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"password": "x"}, {"password": MASK}),
        ({"bearer_token": "x"}, {"bearer_token": MASK}),
        ({"Authorization": "x"}, {"Authorization": MASK}),
        ({"token_file": "/run/token"}, {"token_file": "/run/token"}),
        ({"problem": f"refused {WORD} twice"}, {"problem": f"refused {MASK} twice"}),
        ({"error": OSError(f"bad {WORD}")}, {"error": f"bad {MASK}"}),
        ({"url": "postgresql+psycopg://me:pw@db:5432/x"}, {"url": f"postgresql+psycopg://{MASK}@db:5432/x"}),
        ({"text": "a short word stays"}, {"text": "a short word stays"}),
        ({"count": 3}, {"count": 3}),
    ],
)
def test_a_log_line_holds_no_secret(fields: dict[str, object], line: dict[str, object]) -> None:
    assert logged(**fields) == {"event": "said", **line}
