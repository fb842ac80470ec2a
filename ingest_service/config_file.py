"""Reads the configuration file of the service: TOML into structs, whole paths, and what cannot be used is refused."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ingest_service.config import CERTIFICATES, Config, FurnaceRules
from ingest_service.config_checks import unusable
from ingest_service.config_refusal import explained
from ingest_service.errors import ConfigError

Part = TypeVar("Part", bound=msgspec.Struct)


def load_config(path: Path) -> Config:
    """Read and check the file; paths in it are relative to it. Raises ConfigError with one clear line."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"is no valid TOML: {error}") from error
    config = _resolved(_converted(raw, str(path)), path.parent)
    for key, problem, allowed in unusable(config):
        raise ConfigError(str(path), key, problem, allowed)
    return config


def _converted(raw: dict[str, Any], file: str) -> Config:
    try:
        return msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise explained(problem, path.strip("`."), raw, file) from error


def _resolved(config: Config, base: Path) -> Config:
    folder = str((base / config.storage.folder).resolve())
    storage = msgspec.structs.replace(
        _with_whole(config.storage, ("ca_file", "token_file", "seal_key_file"), base), folder=folder
    )
    broker = _with_whole(config.broker, (*CERTIFICATES, "password_file"), base)
    webhook = tuple(_with_whole(one, ("secret_file",), base) for one in config.webhook)
    people = config.people
    if people.provider is not None:
        provider = _with_whole(people.provider, ("ca_file", "client_secret_file"), base)
        people = msgspec.structs.replace(people, provider=provider)
    judging = msgspec.structs.replace(
        config.judging,
        packs=_packs_from(config.judging.packs, base),
        furnace=tuple(_rules_from(one, base) for one in config.judging.furnace),
    )
    return msgspec.structs.replace(
        config, broker=broker, storage=storage, judging=judging, webhook=webhook, people=people
    )


def _rules_from(one: FurnaceRules, base: Path) -> FurnaceRules:
    return msgspec.structs.replace(one, packs=_packs_from(one.packs, base), permit=_whole(one.permit, base))


def _with_whole(part: Part, keys: Iterable[str], base: Path) -> Part:
    """The part of the configuration with the whole paths of these files."""
    return msgspec.structs.replace(part, **{key: _whole(getattr(part, key), base) for key in keys})


def _whole(file: str, base: Path) -> str:
    """The whole path of a file that may be left out as ""."""
    return str((base / file).resolve()) if file else ""


def _packs_from(names: tuple[str, ...], base: Path) -> tuple[str, ...]:
    """Names of packs as they are, files by their whole path."""
    return tuple(str((base / name).resolve()) if name.endswith(".toml") else name for name in names)
