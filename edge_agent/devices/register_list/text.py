"""A profile as TOML text that a person goes on editing, each channel with the row that it comes from."""

import json
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from edge_agent.devices.register_list.cells import printable
from edge_agent.devices.register_list.rows import ListedChannel
from edge_agent.devices.tables import ModbusTable, ProfileTable

WIDTH = 118


def profile_text(
    profile: ProfileTable, modbus: ModbusTable, channels: Sequence[ListedChannel], notes: Sequence[str]
) -> str:
    """The file; lines that begin with `# ?` are guesses to be looked at."""
    lines = [f"# {line}" for note in notes for line in _folded(note)]
    lines += ["", "[profile]", *_keys(profile), "", "[modbus]", *_keys(modbus)]
    for listed in channels:
        lines += ["", *_comments(listed), "[[channel]]", *_keys(listed.channel)]
    return "\n".join(lines) + "\n"


def _comments(listed: ListedChannel) -> Iterable[str]:
    yield from (f"# {line}" for line in _folded(f"row {listed.row}: {listed.written}"))
    for doubt in listed.doubts:
        yield from (f"# ? {line}" for line in _folded(doubt))


def _folded(text: str) -> list[str]:
    """Lines of bearable length, cut at spaces where there are some."""
    lines, line = [], ""
    for word in printable(text).split():
        if line and len(line) + len(word) >= WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def _keys(table: msgspec.Struct) -> Iterable[str]:
    """`key = value` of every key that says anything, the name first."""
    fields = sorted(msgspec.structs.fields(type(table)), key=lambda field: field.name != "name")
    for field in fields:
        value = getattr(table, field.name)
        if value not in (None, [], {}):
            yield f"{field.encode_name} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return repr(value) if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    return json.dumps(printable(text), ensure_ascii=False)
