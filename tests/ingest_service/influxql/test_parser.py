import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.influxql.parser import parse
from ingest_service.influxql.syntax import Fill, Function, Item, Select, Show, Span, Subject, Windows
from ingest_service.influxql.tokens import NotUnderstood

NOW_MS = 1_770_000_000_000


def selected(text: str) -> Select:
    (statement,) = parse(text, NOW_MS)
    assert isinstance(statement, Select)
    return statement


def test_a_panels_question_is_read_whole() -> None:
    found = selected(
        'SELECT mean("co") AS "CO", max("co") FROM "clearstack_minute".."minute_mean" '
        'WHERE time >= 1769990000000ms and time <= 1770000000000ms AND "home" =~ /^(a|b)$/ '
        'GROUP BY time(5m, 1m), "furnace" fill(previous) ORDER BY time DESC LIMIT 7'
    )
    assert found.items == (Item("co", Function.MEAN, "CO"), Item("co", Function.MAX))
    assert found.measurement == "minute_mean"
    assert found.span == Span(1_769_990_000_000, 1_770_000_000_001)
    assert (found.by, found.windows) == (("furnace",), Windows(300_000, 60_000, Fill.PREVIOUS))
    assert (found.descending, found.limit) == (True, 7)


@pytest.mark.parametrize(
    ("condition", "span"),
    [
        ("time > now() - 1h", Span(NOW_MS - 3_600_000 + 1)),
        ("time >= 1500000000000000000", Span(1_500_000_000_000)),
        ("time < '2026-01-01T00:00:00Z'", Span(0, 1_767_225_600_000)),
        ("time >= 5s AND (time < 9s)", Span(5_000, 9_000)),
        ("time = 7ms", Span(7, 8)),
    ],
)
def test_times_are_read_in_every_form(condition: str, span: Span) -> None:
    assert selected(f"SELECT x FROM m WHERE {condition}").span == span


@pytest.mark.parametrize(
    ("text", "subject", "keys"),
    [
        ("SHOW MEASUREMENTS LIMIT 1", Subject.MEASUREMENTS, ()),
        ('SHOW RETENTION POLICIES on "clearstack"', Subject.RETENTION_POLICIES, ()),
        ('SHOW FIELD KEYS FROM "sample"', Subject.FIELD_KEYS, ()),
        ('SHOW TAG VALUES FROM "furnace" WITH KEY = "home"', Subject.TAG_VALUES, ("home",)),
        ('SHOW TAG VALUES WITH KEY IN ("home", "edge") WHERE "home" = \'a\'', Subject.TAG_VALUES, ("home", "edge")),
    ],
)
def test_what_grafana_asks_of_names_is_read(text: str, subject: Subject, keys: tuple[str, ...]) -> None:
    (found,) = parse(text, NOW_MS)
    assert isinstance(found, Show)
    assert (found.subject, found.keys) == (subject, keys)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing required parameter"),
        ("DROP DATABASE clearstack", "nothing else is answered here"),
        ("SELECT * FROM sample", "by their names"),
        ("SELECT percentile(co, 95) FROM sample", "function percentile() is not understood"),
        ("SELECT mean(co), co FROM sample", "mixing aggregate"),
        ("SELECT mean(co) FROM (SELECT co FROM sample)", "subqueries"),
        ("SELECT mean(co) FROM /sa.*/", "named, not matched"),
        ("SELECT mean(co) FROM a, b", "one measurement"),
        ("SELECT co FROM sample GROUP BY time(1m)", "at least one aggregate"),
        ("SELECT mean(co) FROM sample GROUP BY time(1m) fill(linear)", "fill(linear)"),
        ("SELECT mean(co) FROM sample WHERE time > now() OR home = 'a'", "cannot stand in an OR"),
        ("SELECT mean(co) FROM sample WHERE home =~ /(a+)+$/", "repeated group"),
        ("SELECT mean(co) FROM sample WHERE home =~ /((a|a))*$/", "repeated group"),
        ("SELECT mean(co) FROM sample WHERE home =~ /.*.*.*.*x/", "too much that is repeated"),
        ("SELECT mean(co) FROM sample WHERE home =~ /(/", "regular expression ("),
        ("SELECT mean(co) FROM sample WHERE home > 'a'", "no order"),
        ("SELECT mean(co) FROM sample tz('Asia/Shanghai')", "TZ is not understood"),
        ("SELECT mean(co) FROM sample WHERE time > 'yesterday'", "invalid time"),
        ("SELECT mean(co FROM sample", "found FROM, expected )"),
    ],
)
def test_what_is_not_understood_is_named(text: str, said: str) -> None:
    with pytest.raises(NotUnderstood, match=re.escape(said)):
        parse(text, NOW_MS)


def test_a_variable_of_many_values_is_read() -> None:
    homes = "|".join(f"home\\.{number}\\+" for number in range(500))
    assert selected(f"SELECT x FROM m WHERE home =~ /^({homes})$/").where is not None


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(NotUnderstood):
        assert parse(f"SELECT {text} FROM x", NOW_MS)
