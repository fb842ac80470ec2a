"""How lists write headings, types, orders, tables and units (vocabulary.toml)."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words for each thing, by its own name."""

    columns: dict[str, list[str]]
    types: dict[str, list[str]]
    orders: dict[str, list[str]]
    tables: dict[str, list[str]]
    units: dict[str, list[str]]


@cache
def vocabulary() -> Vocabulary:
    """The words, read once."""
    text = files("edge_agent.devices.register_list").joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Vocabulary)


def by_word(words: dict[str, list[str]]) -> dict[str, str]:
    """The thing that each word means."""
    return {word: thing for thing, spellings in words.items() for word in spellings}
