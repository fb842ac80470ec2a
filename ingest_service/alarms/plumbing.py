"""What a watcher outside tells of the service itself, as an alarm. Pure."""

from hashlib import sha256

import msgspec

from ingest_service.alarms.facts import Name, PlumbingFacts
from ingest_service.alarms.lifecycle import Condition, Normal, Observation, Place

MOST_CHARACTERS = 500  # of a summary, which somebody else writes
_KEY_CHARACTERS = 32


class Told(msgspec.Struct, frozen=True):
    """One alert as it was told; times in ms since 1970 UTC, `ends_ms` None while it fires.

    `fingerprint` is the watcher's own name for it, the same each time.
    """

    fingerprint: str
    rule: str
    summary: str
    begins_ms: int
    ends_ms: int | None


def plumbing_key(place: Place, fingerprint: str) -> str:
    """One alarm a place and fingerprint; both are as long as others like, so their digest stands for them."""
    told = f"{place.node_id}\n{place.home_id}\n{fingerprint}"
    return f"plumbing:{sha256(told.encode()).hexdigest()[:_KEY_CHARACTERS]}"


def observation(told: Told, place: Place, node: Name, now_ms: int) -> Observation:
    """The alert at its place; nothing begins or ends in the future."""
    key, begins_ms = plumbing_key(place, told.fingerprint), max(0, min(told.begins_ms, now_ms))
    if told.ends_ms is not None:
        return Normal(key, max(begins_ms, min(told.ends_ms, now_ms)))
    facts = PlumbingFacts(node, one_line(told.rule), one_line(told.summary), begins_ms)
    return Condition(key, place, facts, begins_ms)


def one_line(text: str) -> str:
    """A text of others as we show it: on one line, without control characters, not too long."""
    clean = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return clean if len(clean) <= MOST_CHARACTERS else f"{clean[: MOST_CHARACTERS - 1]}…"
