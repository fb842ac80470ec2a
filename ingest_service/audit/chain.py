"""The chain: each record holds the hash of the one before it, so none can be changed, taken out or moved unseen."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum, unique
from itertools import chain

import msgspec

from ingest_service.audit.entry import Entry

VERSION = 1  # of the canonical bytes


class Head(msgspec.Struct, frozen=True):
    """The end of the chain at some moment: the number of its last record (from 1) and that record's hash (hex)."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


def parse_head(text: str) -> Head | None:
    """NUMBER:DIGEST as a head; None where it is none."""
    number, _, digest = text.strip().partition(":")
    if not number.isdecimal() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        return None
    return Head(int(number), digest)


START = Head(0, hashlib.sha256(b"clearstack audit trail").hexdigest())


class Record(msgspec.Struct, frozen=True):
    """An entry in its place. `previous` is the hash of the record before it, `digest` its own (SHA-256, hex)."""

    number: int
    entry: Entry
    previous: str
    digest: str

    @property
    def head(self) -> Head:
        """The chain's end while this was the last record."""
        return Head(self.number, self.digest)


@unique
class Damage(StrEnum):
    """What can be wrong with a trail."""

    CHANGED = "changed"  # the record is not what was hashed
    MISSING = "missing"  # one or more records between two others, or at the beginning
    MOVED = "moved"  # the record does not follow the one before it: moved, replaced or put in
    CUT_OFF = "cut_off"  # records at the end, known from outside, are gone
    REWRITTEN = "rewritten"  # the record is sound in itself, but its hash was another one


class Fault(msgspec.Struct, frozen=True):
    """One place where the trail is not as it was written; `number` is the record's, `last` that of the last missing."""

    damage: Damage
    number: int
    last: int = 0


def canonical(number: int, entry: Entry, previous: str) -> bytes:
    """The bytes that are hashed: a JSON array in UTF-8, each field in its fixed place."""
    return msgspec.json.encode([VERSION, number, previous, *msgspec.structs.astuple(entry)])


def sealed(entry: Entry, last: Head) -> Record:
    """The entry as the record that follows `last`."""
    number = last.number + 1
    digest = hashlib.sha256(canonical(number, entry, last.digest)).hexdigest()
    return Record(number, entry, last.digest, digest)


def faults(records: Iterable[Record], known: Sequence[Head] = ()) -> Iterator[Fault]:
    """Everything that is wrong, in the order of the records; `known` are heads that were written down elsewhere."""
    wanted = {head.number: head.digest for head in known}
    last = START
    for record in records:
        yield from chain(_place_faults(record, last), _content_faults(record, wanted.get(record.number)))
        last = Head(max(record.number, last.number), record.digest)
    furthest = max(wanted, default=0)
    if furthest > last.number:
        yield Fault(Damage.CUT_OFF, last.number + 1, furthest)


def _place_faults(record: Record, last: Head) -> Iterator[Fault]:
    if record.number > last.number + 1:
        yield Fault(Damage.MISSING, last.number + 1, record.number - 1)
    elif record.number != last.number + 1 or record.previous != last.digest:
        yield Fault(Damage.MOVED, record.number)


def _content_faults(record: Record, known_digest: str | None) -> Iterator[Fault]:
    if hashlib.sha256(canonical(record.number, record.entry, record.previous)).hexdigest() != record.digest:
        yield Fault(Damage.CHANGED, record.number)
    elif known_digest not in (None, record.digest):
        yield Fault(Damage.REWRITTEN, record.number)
