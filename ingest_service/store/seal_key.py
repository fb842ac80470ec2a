"""The key under which secrets in the relational database are sealed: named by the configuration, or beside the data."""

import os
from pathlib import Path

import structlog
from sqlalchemy import Engine

from ingest_service.config import Storage
from ingest_service.credentials import secret
from ingest_service.errors import ConfigError
from ingest_service.people.sealing import Sealer, keys_in, new_key
from ingest_service.store.sealed_codes import reseal

FILE = "seal.key"
_log = structlog.get_logger(__name__)
ALLOWED = "one or more lines as `openssl rand -base64 32` makes them, the newest first"


def take_up(engine: Engine, storage: Storage, file: str) -> Sealer:
    """The sealer, with everything in the database under its newest key. Raises ConfigError or StoreError."""
    sealer = open_sealer(storage, file)
    done = reseal(engine, sealer)
    if done.count:
        _log.info("one_time_codes_sealed", count=done.count)
    if done.lost:
        remedy = "put the key back beside the new one, or: ingest-service user reset"
        _log.error("one_time_codes_unreadable", accounts=done.lost, remedy=remedy)
    return sealer


def open_sealer(storage: Storage, file: str) -> Sealer:
    """Seals with the configured key, else with that of the folder, which the first start makes. Raises ConfigError."""
    if storage.seal_key_env or storage.seal_key_file:
        text = secret(storage.seal_key_env, storage.seal_key_file, file, "storage.seal_key")
        key = "storage.seal_key_file" if storage.seal_key_file else "storage.seal_key_env"
        return _sealer(text, file, key)
    path = Path(storage.folder) / FILE
    return _sealer(_own_text(path), str(path), "")


def _sealer(text: str, file: str, key: str) -> Sealer:
    try:
        return Sealer(keys_in(text))
    except ValueError as error:
        raise ConfigError(file, key, str(error), ALLOWED) from error


def _own_text(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read or made: {error.strerror}") from error


def _make(path: Path) -> None:
    """In one step and for nobody else's eyes: a crash leaves a whole key or none."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
        made.write(f"{new_key()}\n")
        made.flush()
        os.fsync(made.fileno())
    beside.replace(path)
