"""TOML to typed tables; whatever is wrong becomes one line with file, key and what is allowed."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from edge_agent.errors import ConfigError

T = TypeVar("T")
_WHERE = re.compile(r"^(?P<problem>.*?)(?: - at (?:`key` in )?`\$(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`")
_MISSING = re.compile(r"Object missing required field `(?P<key>.*)`")
_STEP = re.compile(r"\.?(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")


class Place:
    """A table of a file, to name it in an error."""

    def __init__(self, file: str, key: str) -> None:
        self.file, self.key = file, key

    def error(self, key: str, problem: str, allowed: str = "") -> ConfigError:
        """An error about one key of the table."""
        return ConfigError(self.file, _joined(self.key, key), problem, allowed)


def read_toml(path: Path, shape: type[T], file: str = "") -> T:
    """The file as `shape`; `file` is the name that an error shows. Raises ConfigError."""
    shown = file or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(shown, "", f"cannot be read: {reason}") from error
    return parse_toml(text, shape, shown)


def parse_toml(text: str, shape: type[T], file: str) -> T:
    """TOML text as `shape`. Raises ConfigError."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is not TOML: {error}") from error
    return convert_table(tree, shape, file)


def convert_table(tree: Any, shape: type[T], file: str, inside: str = "") -> T:
    """A parsed table as `shape`; `inside` is the key under which it stands. Raises ConfigError."""
    try:
        return msgspec.convert(tree, shape, str_keys=True)
    except msgspec.ValidationError as error:
        raise _explained(str(error), tree, shape, file, inside) from error


def keys_of(shape: type) -> list[str]:
    """The keys that a table may have."""
    return [field.encode_name for field in msgspec.structs.fields(shape)]


def suggestion(word: str, allowed: Sequence[str]) -> str:
    """A question that names the nearest allowed word, or ""."""
    near = difflib.get_close_matches(word, allowed, n=1, cutoff=0.5)
    return f', did you mean "{near[0]}"?' if near else ""


def _explained(message: str, tree: Mapping[str, Any], shape: type, file: str, inside: str) -> ConfigError:
    found = _WHERE.match(message)
    problem, path = (found["problem"], found["path"] or "") if found else (message, "")
    where, table_shape = _walk(path, tree, shape, inside)
    if unknown := _UNKNOWN.match(problem):
        allowed = keys_of(table_shape) if table_shape is not None else []
        hint = suggestion(unknown["key"], allowed)
        return ConfigError(file, _joined(where, unknown["key"]), f"unknown key{hint}", ", ".join(allowed))
    if missing := _MISSING.match(problem):
        return ConfigError(file, _joined(where, missing["key"]), "is missing")
    return ConfigError(file, where, _plain(problem), _choices(table_shape))


def _walk(path: str, tree: Any, shape: Any, where: str) -> tuple[str, Any]:
    """Follow a path like `.channel[3].address`: how a person would name the place, and the type expected there."""
    for step in _STEP.finditer(path):
        if step["index"] is not None:
            tree = tree[int(step["index"])]
            where += f"[{int(step['index']) + 1}]" + _name_of(tree)
            shape = get_args(shape)[0] if get_args(shape) else None
        elif step["name"] is not None:
            tree = tree.get(step["name"]) if isinstance(tree, dict) else None
            where = _joined(where, step["name"])
            shape = _field_type(shape, step["name"])
        else:
            where += ".*"
            shape = get_args(shape)[-1] if get_args(shape) else None
    return where, shape


def _name_of(table: Any) -> str:
    name = table.get("name") if isinstance(table, dict) else None
    return f' "{name}"' if isinstance(name, str) else ""


def _field_type(shape: Any, name: str) -> Any:
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return None
    types = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}
    return _without_none(types.get(name))


def _without_none(shape: Any) -> Any:
    """The type itself where None only says that a key may be left out."""
    real = [part for part in get_args(shape) if part is not type(None)]
    return real[0] if type(None) in get_args(shape) and len(real) == 1 else shape


def _choices(shape: Any) -> str:
    if isinstance(shape, type) and issubclass(shape, Enum):
        return ", ".join(str(member.value) for member in shape)
    return ""


def _joined(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


_PLAIN = {
    "`": "",
    " | null": "",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_WORDS = re.compile(r"`| \| null|\b(?:str|int|float|bool|array|object)\b")


def _plain(problem: str) -> str:
    """The validator's sentence in the words of someone who edits a file."""
    text = _WORDS.sub(lambda word: _PLAIN[word[0]], problem)
    return text[:1].lower() + text[1:]
