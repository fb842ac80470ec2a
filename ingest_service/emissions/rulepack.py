"""Rule packs as files: reads them, and says of a wrong one in which line, at which key, and what is allowed."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.pack import (
    Exclusion,
    Limit,
    PeriodicLimit,
    Reference,
    Rounding,
    RulePack,
    Share,
    Unread,
    Validity,
)
from ingest_service.emissions.substitution import Substitution
from ingest_service.emissions.units import SCALES, LimitUnit, Pollutant
from ingest_service.emissions.vocabulary import Origin, PeriodicPollutant, PeriodicUnit, Phase, Verified
from ingest_service.errors import ConfigError

__all__ = [
    "Averaging",
    "Limit",
    "LimitUnit",
    "Origin",
    "PeriodicLimit",
    "PeriodicPollutant",
    "PeriodicUnit",
    "Phase",
    "Pollutant",
    "RulePack",
    "Verified",
    "load_pack",
    "pack_names",
    "parse_pack",
    "read_pack",
]


def pack_names() -> tuple[str, ...]:
    """The packs that come with the product."""
    folder = files("ingest_service.emissions.rules")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_pack(name: str, folder: Path | None = None) -> RulePack:
    """A pack that comes with the product by its name, or a file (`*.toml`, from `folder`). Raises ConfigError."""
    if name.endswith(".toml"):
        return read_pack((folder or Path()) / name)
    if name not in pack_names():
        raise ConfigError("rule packs", "", f"no rule pack {name!r}", ", ".join(pack_names()) + " or a file *.toml")
    text = files("ingest_service.emissions.rules").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse_pack(text, f"{name}.toml")


def read_pack(path: Path) -> RulePack:
    """The pack in a file, as a site's permit is. Raises ConfigError."""
    try:
        return parse_pack(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "", "is not UTF-8 text") from error


def parse_pack(text: str, file: str) -> RulePack:
    """The pack in `text`; `file` names it in errors. Raises ConfigError with file, line, key and what is allowed."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is no valid TOML: {error}") from error
    try:
        return msgspec.convert(raw, RulePack)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        key = where.strip("`.") or "top level"
        shown = _shown(key, problem)
        line = _line(text, shown)
        raise ConfigError(f"{file}:{line}" if line else file, shown, problem, _allowed(key, problem)) from error


# What a key may hold, for the error's sake: the annotation's enumeration, or the keys of its table.
_TABLES: dict[str, type[msgspec.Struct]] = {
    "limit": Limit,
    "limit.share": Share,
    "periodic": PeriodicLimit,
    "reference": Reference,
    "validity": Validity,
    "exclusion": Exclusion,
    "rounding": Rounding,
    "substitution": Substitution,
    "unread": Unread,
}


def _shown(key: str, problem: str) -> str:
    """The key with the unknown field's own name, where that is the problem."""
    if "unknown field" not in problem:
        return key
    field = problem.split("`")[1]
    return field if key == "top level" else f"{key}.{field}"


def _line(text: str, key: str) -> int | None:
    """The line of a key like `limit[2].unit` or `reference`; that of its table where the key is not written there."""
    lines = text.splitlines()
    table, _, field = key.partition(".")
    name, _, number = table.partition("[")
    headers = [at for at, line in enumerate(lines) if re.fullmatch(rf"\s*\[+{re.escape(name)}\]+\s*(#.*)?", line)]
    wanted = int(number.rstrip("]")) if number else 0
    if wanted >= len(headers):
        return _key_line(lines, 0, name)
    return _key_line(lines, headers[wanted] + 1, re.split(r"[.\[]", field)[0]) or headers[wanted] + 1


def _key_line(lines: list[str], start: int, key: str) -> int | None:
    """The line, from 1, of `key = ` before the next table; None where it is not written."""
    for number, line in enumerate(lines[start:], start + 1):
        if line.lstrip().startswith("["):
            return None
        if key and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return number
    return None


def _allowed(key: str, problem: str) -> str:
    """The allowed keys or values at `key`, as far as they can be listed."""
    table = _table(key)
    if "unknown field" in problem:
        return ", ".join(table.__struct_fields__)
    if "Invalid enum value" in problem:
        return ", ".join(str(member) for member in _enumeration(table, key))
    if "cannot be converted" in problem:
        return next((", ".join(scales) for name, scales in SCALES.items() if f"for {name!s}," in problem), "")
    return ""


def _table(key: str) -> type[msgspec.Struct]:
    """The table that `key` stands in, or is."""
    plain = re.sub(r"\[[^\]]*\]", "", key)
    return next(
        (table for name, table in sorted(_TABLES.items(), reverse=True) if f"{plain}.".startswith(f"{name}.")), RulePack
    )


def _enumeration(table: type[msgspec.Struct], key: str) -> list[Any]:
    """The members of the enumeration that the field at `key` holds (also of a tuple of them)."""
    field = key.rpartition(".")[2].partition("[")[0]
    kind = next(entry.type for entry in msgspec.structs.fields(table) if entry.name == field)
    inner = getattr(kind, "__args__", (kind,))[0]
    return list(inner)
