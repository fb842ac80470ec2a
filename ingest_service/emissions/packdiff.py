"""What differs between two rule packs, key by key."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ingest_service.emissions.pack import RulePack


class Change(msgspec.Struct, frozen=True):
    """One key with its value in either pack; "" where the pack does not have it."""

    key: str
    old: str
    new: str


def differences(old: RulePack, new: RulePack) -> list[Change]:
    """Every key whose value differs, in the order of the packs. Limits are told apart by what they limit."""
    before, after = dict(_flat(msgspec.to_builtins(old))), dict(_flat(msgspec.to_builtins(new)))
    keys = [*before, *(key for key in after if key not in before)]
    changes = (Change(key, before.get(key, ""), after.get(key, "")) for key in keys)
    return [change for change in changes if change.old != change.new]


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Leaves by their dotted key; nothing is a leaf that is not there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
        for at, one in enumerate(value):
            yield from _flat(one, f"{key}[{_name(one, at)}]")
    elif value is not None:
        yield key, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _name(row: dict[str, Any], at: int) -> str:
    """What tells a row of a table from the others."""
    named = [str(row[part]) for part in ("pollutant", "averaging", "bound") if part in row]
    return " ".join(named) or str(at)
