"""The words of InfluxQL: a statement cut into tokens."""

import re
from collections.abc import Iterator
from enum import Enum, unique

import msgspec

from ingest_service.errors import ServiceError

_SHOWN = 40  # characters of a statement that an error quotes


class NotUnderstood(ServiceError):
    """A statement that is not part of the InfluxQL that is answered; the text says which part."""


@unique
class Kind(Enum):
    """What a token is."""

    NAME = "name"  # bare or in double quotes
    TEXT = "text"  # in single quotes
    REGEX = "regex"
    DURATION = "duration"
    NUMBER = "number"
    SIGN = "sign"
    END = "end"


class Token(msgspec.Struct, frozen=True):
    """One token: `text` without its quotes; `quoted` names are never keywords."""

    kind: Kind
    text: str
    quoted: bool = False

    @property
    def word(self) -> str:
        """The keyword that it may be, in capitals."""
        return self.text.upper() if self.kind is Kind.NAME and not self.quoted else ""


_PATTERN = re.compile(
    r"""(?P<space>\s+)
    | "(?P<quoted>(?:[^"\\]|\\.)*)"
    | '(?P<text>(?:[^'\\]|\\.)*)'
    | (?P<duration>\d+(?:ns|us|u|µ|ms|s|m|h|d|w)(?![A-Za-z]))
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>=~|!~|!=|<>|<=|>=|[=<>(),.;*+\-])""",
    re.VERBOSE,
)
_REGEX = re.compile(r"\s*/((?:[^/\\]|\\.)+)/")
_KINDS = {
    "quoted": Kind.NAME, "name": Kind.NAME, "text": Kind.TEXT, "duration": Kind.DURATION, "number": Kind.NUMBER,
    "sign": Kind.SIGN,
}  # fmt: skip
_UNITS_MS = {
    "ns": 1e-6, "u": 1e-3, "us": 1e-3, "µ": 1e-3, "ms": 1, "s": 1e3, "m": 6e4, "h": 36e5, "d": 864e5, "w": 6048e5,
}  # fmt: skip


def tokens(text: str) -> list[Token]:
    """All tokens, ended by one of kind END. Raises NotUnderstood."""
    return [*_cut(text), Token(Kind.END, "")]


def duration_ms(text: str) -> float:
    """The length of a duration token, ms."""
    number = re.match(r"\d+", text)
    digits = number.group() if number else "0"
    return int(digits) * _UNITS_MS[text[len(digits) :]]


def _cut(text: str) -> Iterator[Token]:
    at, before = 0, ""
    while at < len(text):
        if (before in ("=~", "!~") or before.upper() in ("FROM", "MEASUREMENT")) and (found := _REGEX.match(text, at)):
            yield Token(Kind.REGEX, found[1].replace("\\/", "/"))
            at, before = found.end(), "/"
            continue
        found = _PATTERN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NotUnderstood(f"error parsing query: found {text[at : at + _SHOWN]!r} at char {at + 1}")
        at = found.end()
        if (name := found.lastgroup) != "space":
            before = found[0]
            yield Token(_KINDS[name], _plain(found[name], name), quoted=name == "quoted")


def _plain(text: str, name: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if name in ("quoted", "text") else text
