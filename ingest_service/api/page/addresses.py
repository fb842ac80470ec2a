"""Addresses of lists: what was asked for, without what goes without saying. Pure."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from annotated_types import Ge, Le, MaxLen

Word = Annotated[str, MaxLen(200)]
PageNumber = Annotated[int, Ge(1), Le(10**6)]


def address(path: str, asked: msgspec.Struct, other: Mapping[str, object]) -> str:
    """The address of a list with what was asked for, and with other values in place of some."""
    wanted = msgspec.structs.replace(asked, **other)
    fields = msgspec.structs.asdict(wanted)
    usual = {field.name: field.default for field in msgspec.structs.fields(wanted)}
    said = {name: value for name, value in fields.items() if value != usual[name]}
    return f"{path}?{urlencode(said)}" if said else path
