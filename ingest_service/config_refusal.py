"""Why a configuration file was refused, in the words of someone who edits it. Pure."""

import difflib
import re
from collections.abc import Iterable
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

import msgspec

from ingest_service.config import Config
from ingest_service.errors import ConfigError

_OWN_KEY = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<key>.*)`")


def explained(problem: str, where: str, raw: dict[str, Any], file: str) -> ConfigError:
    """The validator's `problem` at a path like `webhook[0].url`, in the words of someone who edits the file."""
    shape, value = _at(where, raw)
    if found := _OWN_KEY.match(problem):
        key = f"{where}.{found['key']}" if where else found["key"]
        keys = shape.__struct_fields__
        if found["what"] == "missing required":
            return ConfigError(file, key, "is missing")
        return ConfigError(file, key, "unknown key" + nearest(found["key"], keys), ", ".join(keys))
    allowed = _allowed(shape)
    if "Invalid enum value" in problem:
        return ConfigError(file, where, f"unknown value {value!r}{nearest(str(value), list(shape))}", allowed)
    if allowed and "got" not in problem:
        return ConfigError(file, where, f"{value!r} is out of range", allowed)
    return ConfigError(file, where, _plain(problem), allowed)


def _at(where: str, raw: Any) -> tuple[Any, Any]:
    """What the key at a path should be, and what the file has there."""
    shape: Any = Config
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", where):
        if index:
            shape, raw = get_args(shape)[0], raw[int(index)]
        else:
            shape = next(field.type for field in msgspec.structs.fields(shape) if field.name == name)
            raw = raw[name]
        if type(None) in get_args(shape):
            shape = get_args(shape)[0]
    return shape, raw


def _allowed(shape: Any) -> str:
    """The values of an enumeration or the range of a number; "" where there is no such bound."""
    if isinstance(shape, type) and issubclass(shape, Enum):
        return ", ".join(str(member) for member in shape)
    if get_origin(shape) is not Annotated:
        return ""
    meta = get_args(shape)[1]
    low = f"more than {meta.gt}" if meta.gt is not None else str(meta.ge)
    return f"{low} to {meta.le}" if meta.gt is None else f"{low}, at most {meta.le}"


def nearest(word: str, allowed: Iterable[str], likeness: float = 0.6) -> str:
    """A question that names the nearest allowed word, or "" where none is so like it (0 to 1)."""
    near = difflib.get_close_matches(word, list(allowed), n=1, cutoff=likeness)
    return f", did you mean {str(near[0])!r}?" if near else ""


_PLAIN = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def _plain(problem: str) -> str:
    """`Expected `int`, got `str`` as "expected a whole number, got text"."""
    named = re.sub(r"`(\w+)(?: \| null)?`", lambda kind: _PLAIN.get(kind[1], kind[1]), problem)
    return named[:1].lower() + named[1:]
