"""A report as tables in one language: what every file format is made of."""

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """A number and the decimals to which it is told."""

    value: float
    decimals: int


class Moment(msgspec.Struct, frozen=True):
    """A time, ms since 1970 UTC."""

    at_ms: int


class Flag(msgspec.Struct, frozen=True):
    """A word that may need someone's eye: `level` is over, doubt or plain."""

    text: str
    level: str


Cell = str | int | Figure | Moment | Flag | None


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One table; `key` names it in no language, `nil` is what is said where it has no row, `note` what explains it.

    `annex` sheets are left out of the printed form where they would not be read.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    nil: str = ""
    note: str = ""
    annex: bool = False
