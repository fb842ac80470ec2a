"""The trail as a file: CSV for people, JSON for programs, both with the hashes that prove it."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from ingest_service.audit.chain import Record
from ingest_service.audit.entry import Entry

FORMS = ("csv", "json")
COLUMNS = ("number", "at_utc", *Entry.__struct_fields__, "previous", "digest")
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


def written(records: Iterable[Record], form: str) -> Iterator[str]:
    """The file in pieces; `form` is one of FORMS."""
    return _csv(records) if form == "csv" else _json(records)


def _csv(records: Iterable[Record]) -> Iterator[str]:
    yield "\ufeff" + _line(COLUMNS)
    for record in records:
        fields = msgspec.structs.asdict(record.entry)
        values = (record.number, _moment(record.entry.at_ms), *fields.values(), record.previous, record.digest)
        yield _line([_harmless(value) if isinstance(value, str) else value for value in values])


def _moment(at_ms: int) -> str:
    """The time for people; "" for one that no calendar has, as somebody may have put into the database."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return ""


def _line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def _harmless(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text


def _json(records: Iterable[Record]) -> Iterator[str]:
    mark = "["
    for record in records:
        yield f"{mark}\n{msgspec.json.encode(record).decode()}"
        mark = ","
    yield "[]\n" if mark == "[" else "\n]\n"
