"""The trail as a file."""

import csv
import io

import msgspec
import pytest

from ingest_service.audit.chain import START, Record, faults, sealed
from ingest_service.audit.entry import Entry
from ingest_service.audit.listing import COLUMNS, written


def acknowledged(**fields: str | int) -> Record:
    said = {"at_ms": 1_700_000_000_123, "who": "李", "address": "::1", "action": "granted", "subject": "alarm 1"}
    return sealed(msgspec.convert({**said, **fields}, Entry), START)


def rows(record: Record) -> list[list[str]]:
    text = "".join(written([record], "csv"))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_csv_has_a_column_for_each_field_and_the_hashes() -> None:
    record = acknowledged(why='said "yes", twice\nand left')
    head, line = rows(record)
    assert head == list(COLUMNS)
    found = dict(zip(head, line, strict=True))
    assert found["at_utc"] == "2023-11-14T22:13:20.123+00:00"
    assert (found["number"], found["who"], found["why"]) == ("1", "李", 'said "yes", twice\nand left')
    assert (found["previous"], found["digest"]) == (START.digest, record.digest)


@pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_what_somebody_typed_is_no_formula_in_a_spreadsheet(typed: str) -> None:
    assert rows(acknowledged(who=typed))[1][COLUMNS.index("who")] == f"'{typed}"


def test_a_time_that_no_calendar_has_does_not_end_the_listing() -> None:
    assert rows(acknowledged(at_ms=2**62))[1][COLUMNS.index("at_utc")] == ""


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_gives_back_a_trail_that_can_be_proved(count: int) -> None:
    trail: list[Record] = []
    for _ in range(count):
        trail.append(sealed(acknowledged().entry, trail[-1].head if trail else START))
    again = msgspec.json.decode("".join(written(trail, "json")), type=list[Record])
    assert again == trail
    assert list(faults(again)) == []
