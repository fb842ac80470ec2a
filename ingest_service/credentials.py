"""Secrets: read from the environment or from a file, never written in the configuration, never shown."""

import os
import re
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ingest_service.config import Config, StoreKind
from ingest_service.errors import ConfigError

MASK = "***"
_SHORTEST = 6  # of what is masked by its value: shorter words stand in honest texts too
_TELLING = re.compile(r"password|passwd|secret|token|authorization|cookie|api_?key|private_?key", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)
_NO_SECRET = re.compile(r"_(env|file)$")


class Secret(msgspec.Struct, frozen=True):
    """Where a secret is: `key` of the configuration without its ending, and the variable or file that are named."""

    key: str
    variable: str
    path: str


def secrets_of(config: Config) -> Iterator[Secret]:
    """Every secret that the configuration can name."""
    yield Secret("broker.password", config.broker.password_env, config.broker.password_file)
    yield Secret("storage.seal_key", config.storage.seal_key_env, config.storage.seal_key_file)
    if config.storage.kind is not StoreKind.EMBEDDED:
        yield Secret("storage.token", config.storage.token_env, config.storage.token_file)
    for at, hook in enumerate(config.webhook):
        yield Secret(f"webhook[{at}].secret", hook.secret_env, hook.secret_file)
    provider = config.people.provider
    if provider is not None:
        yield Secret("people.provider.client_secret", provider.client_secret_env, provider.client_secret_file)


def secret(variable: str, path: str, file: str, key: str) -> str:
    """The secret, "" where none is named. Raises ConfigError where it cannot be had; `key` has no ending."""
    named = Secret(key, variable, path)
    for ending, problem in _problems(named):
        raise ConfigError(file, f"{key}{ending}", problem)
    if path:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    return os.environ[variable] if variable else ""


def unusable_secrets(config: Config) -> Iterator[tuple[str, str]]:
    """The keys that name a secret which cannot be had, each with a sentence that says why."""
    for named in secrets_of(config):
        for ending, problem in _problems(named):
            yield f"{named.key}{ending}", problem


def careless(config: Config) -> Iterator[tuple[str, str]]:
    """The keys by which others can learn a secret, each with what to do."""
    if urlsplit(config.storage.database_url).password:
        yield "storage.database_url", "holds a password: leave it out here and name a PGPASSFILE in the environment"
    for named in secrets_of(config):
        if named.path and Path(named.path).is_file() and Path(named.path).stat().st_mode & 0o007:
            yield f"{named.key}_file", f"everybody on this machine may read {named.path}: chmod o= it"


def values_of(config: Config) -> tuple[str, ...]:
    """The secrets themselves, to be masked wherever they would show; those that cannot be had are left out."""
    had = (one for one in secrets_of(config) if not list(_problems(one)))
    return tuple(filter(None, (secret(one.variable, one.path, "", one.key) for one in had)))


class Masking:
    """A step of logging: no secret leaves, by the name of its field, by its value or in an address."""

    def __init__(self, values: Sequence[str] = ()) -> None:
        long = sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, long))) if long else None

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event without secrets."""
        for field, value in event.items():
            if _TELLING.search(field) and not _NO_SECRET.search(field):
                event[field] = MASK
            elif isinstance(value, str | Exception):
                event[field] = self.masked(str(value))
        return event

    def masked(self, text: str) -> str:
        """The text without secrets."""
        text = _IN_ADDRESS.sub(rf"\g<scheme>{MASK}@", text)
        return self._values.sub(MASK, text) if self._values else text


def _problems(named: Secret) -> Iterator[tuple[str, str]]:
    """The ending of the key that is wrong, and why."""
    if named.variable and named.path:
        yield "_file", "stands beside _env: name one of them"
    elif named.variable and named.variable not in os.environ:
        yield "_env", f"environment variable {named.variable} is not set"
    elif named.path:
        yield from (("_file", problem) for problem in _unreadable(named.path))


def _unreadable(path: str) -> Iterator[str]:
    try:
        if not Path(path).read_text(encoding="utf-8").strip():
            yield f"{path} is empty"
    except OSError as error:
        yield f"{path} cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        yield f"{path} is no text"
