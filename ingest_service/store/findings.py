"""What `store check` says of a store, one line a matter."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """Is the matter as it must be."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One matter: what it is about, how it is, and what to do where it is wrong."""

    subject: str
    state: State
    text: str


def right(subject: str, text: str) -> Finding:
    """As it must be."""
    return Finding(subject, State.RIGHT, text)


def wrong(subject: str, text: str) -> Finding:
    """Not as it must be; the text says what to do."""
    return Finding(subject, State.WRONG, text)


def unknown(subject: str, text: str) -> Finding:
    """The server does not tell."""
    return Finding(subject, State.UNKNOWN, text)
