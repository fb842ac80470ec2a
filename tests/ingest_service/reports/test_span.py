from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingest_service.reports.span import Kind, calendar_span

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def hours(kind: Kind, label: str, zone: ZoneInfo) -> float:
    span = calendar_span(kind, label, zone)
    return (span.to_ms - span.from_ms) / 3_600_000


@pytest.mark.parametrize(
    ("kind", "label", "zone", "expected"),
    [
        (Kind.DAY, "2026-11-23", SHANGHAI, 24),
        (Kind.DAY, "2026-03-29", BERLIN, 23),
        (Kind.DAY, "2026-10-25", BERLIN, 25),
        (Kind.MONTH, "2028-02", SHANGHAI, 29 * 24),
        (Kind.MONTH, "2026-12", SHANGHAI, 31 * 24),
        (Kind.YEAR, "2026", BERLIN, 365 * 24),
    ],
    ids=["a day", "the short day of spring", "the long day of autumn", "a leap February", "December", "a year"],
)
def test_a_span_is_the_local_day_month_or_year(kind: Kind, label: str, zone: ZoneInfo, expected: float) -> None:
    assert hours(kind, label, zone) == expected


def test_a_day_begins_at_local_midnight() -> None:
    span = calendar_span(Kind.DAY, "2026-11-23", SHANGHAI)
    assert datetime.fromtimestamp(span.from_ms / 1000, UTC) == datetime(2026, 11, 22, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (Kind.DAY, "2026-11"),
        (Kind.DAY, "2026-02-30"),
        (Kind.DAY, "20261123"),
        (Kind.MONTH, "2026-13"),
        (Kind.MONTH, "2026-W1"),
        (Kind.YEAR, "26"),
        (Kind.YEAR, "1066"),
        (Kind.YEAR, "9999"),
        (Kind.DAY, "../../etc"),
    ],
)
def test_what_is_no_such_time_is_refused_with_the_shape_of_one(kind: Kind, label: str) -> None:
    with pytest.raises(ValueError, match=r"write it as 2026"):
        calendar_span(kind, label, SHANGHAI)
