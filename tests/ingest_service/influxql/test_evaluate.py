"""The same points in Debian's InfluxDB and here: every statement must give the same tables."""

from typing import Any

import msgspec
import numpy as np
import pytest

from ingest_service.influxql.evaluate import Column, evaluate, wanted_fields
from ingest_service.influxql.parser import parse
from ingest_service.influxql.syntax import Select, admits
from ingest_service.influxql.tokens import NotUnderstood
from tests.support.influx import InfluxDB

START_MS = 1_764_000_000_000
NOW_MS = START_MS + 10_800_000
DATABASE = "influxql_tests"
SPAN = f"time >= {START_MS}ms AND time < {START_MS + 7_200_000}ms"


def points() -> list[Column]:
    rng, found = np.random.default_rng(4), []
    for home, furnace in (("a", "1"), ("a", "2"), ("b", "1")):
        tags = (("furnace", furnace), ("home", home))
        at_ms = START_MS + np.sort(rng.choice(7_200, 40, replace=False)).astype(np.int64) * 1000
        found.append(Column(tags, "co", at_ms, np.round(rng.uniform(0, 100, 40), 3)))
        found.append(Column(tags, "valid", at_ms[::2], (np.arange(20) % 3 > 0).astype(np.float64)))
        texts = np.array([f"text {at}" for at in range(5)], np.object_)
        found.append(Column(tags, "title", at_ms[:5], texts))
    return found


def lines() -> str:
    written = []
    for column in points():
        tags = "".join(f",{name}={value}" for name, value in column.tags)
        for at_ms, value in zip(column.at_ms.tolist(), column.value.tolist(), strict=True):
            shown = f'"{value}"' if isinstance(value, str) else repr(value)
            written.append(f"m{tags} {column.field}={shown} {at_ms}")
    return "\n".join(written)


@pytest.fixture(scope="module")
def server(influx: InfluxDB) -> InfluxDB:
    influx.question(f'CREATE DATABASE "{DATABASE}"').raise_for_status()
    influx.write(DATABASE, lines()).raise_for_status()
    return influx


def ours(text: str) -> list[dict[str, Any]]:
    (statement,) = parse(text, NOW_MS)
    assert isinstance(statement, Select)
    wanted = wanted_fields(statement)
    inside = [
        Column(one.tags, one.field, one.at_ms[held], one.value[held])
        for one in points()
        if one.field in wanted and admits(statement.where, dict(one.tags))
        for held in [(one.at_ms >= statement.span.from_ms) & (one.at_ms < statement.span.to_ms)]
    ]
    tables = evaluate(statement, inside, NOW_MS)
    return [msgspec.to_builtins(table) for table in tables]


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT mean(co) FROM m WHERE {SPAN} GROUP BY time(10m)",
        f"SELECT mean(co) AS x, max(co), min(co), count(co), sum(co) FROM m WHERE {SPAN} GROUP BY time(10m), home",
        f"SELECT first(co), last(co), spread(co) FROM m WHERE {SPAN} GROUP BY time(7m), home, furnace fill(none)",
        f"SELECT mean(co) FROM m WHERE {SPAN} GROUP BY time(2m) fill(previous)",
        f"SELECT mean(co) FROM m WHERE {SPAN} GROUP BY time(2m), furnace fill(0)",
        f"SELECT count(co) FROM m WHERE {SPAN} GROUP BY time(1m)",
        f"SELECT mean(co) FROM m WHERE {SPAN} AND home =~ /^a$/ GROUP BY *",
        f"SELECT last(co) FROM m WHERE {SPAN} GROUP BY home, furnace",
        f"SELECT max(co) FROM m WHERE {SPAN} AND furnace = '1'",
        f"SELECT last(co), last(valid) FROM m WHERE {SPAN} GROUP BY home",
        f"SELECT mean(co) FROM m WHERE {SPAN} AND valid = 1 GROUP BY time(20m), home",
        f"SELECT co, valid FROM m WHERE {SPAN} AND home = 'a' AND furnace != '2'",
        f"SELECT title, home FROM m WHERE {SPAN} ORDER BY time DESC LIMIT 4",
        f"SELECT co FROM m WHERE {SPAN} AND (home = 'b' OR furnace = '2') AND co > 50 GROUP BY home",
        f"SELECT mean(co), mean(valid) FROM m WHERE {SPAN} AND home = 'nobody' GROUP BY time(1m)",
        f"SELECT mean(co) FROM m WHERE {SPAN} GROUP BY time(10m, 3m) ORDER BY time DESC LIMIT 3",
        f"SELECT mean(absent) FROM m WHERE {SPAN}",
        f"SELECT count(title) FROM m WHERE {SPAN} GROUP BY home",
    ],
)  # fmt: skip
def test_a_statement_gives_what_influxdb_gives(text: str, server: InfluxDB) -> None:
    answer = server.question(text, DATABASE).json()["results"][0]
    expected, found = answer.get("series", []), ours(text)
    assert [table.get("tags") for table in found] == [table.get("tags") for table in expected]
    assert [table["columns"] for table in found] == [table["columns"] for table in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert len(mine["values"]) == len(theirs["values"])
        for own, other in zip(mine["values"], theirs["values"], strict=True):
            for value, wanted in zip(own, other, strict=True):
                assert value == (pytest.approx(wanted, rel=1e-9) if isinstance(wanted, float) else wanted)


def test_too_many_windows_are_refused() -> None:
    with pytest.raises(NotUnderstood, match="ask for longer ones"):
        ours(f"SELECT mean(co) FROM m WHERE {SPAN} GROUP BY time(1ms)")


def test_a_mean_of_texts_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="of texts"):
        ours(f"SELECT mean(title) FROM m WHERE {SPAN}")
