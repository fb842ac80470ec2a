"""However many alarms there were: what is open is found without looking through them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from ingest_service.store import journal
from ingest_service.store.overview import Reader, Scope
from tests.support.city import NOW_MS, City, empty_city, silent, small_city

SIGHTS = [Scope(), Scope(frozenset({"beishan"}), frozenset({"home:beishan"}))]


def plan_of(city: City, ask: Callable[[], object]) -> str:
    """How the database answers what is asked."""
    asked: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, statement: str, parameters: Any, *_others: object) -> None:
        asked.append((statement, parameters))

    event.listen(city.engine, "before_cursor_execute", hear)
    ask()
    event.remove(city.engine, "before_cursor_execute", hear)
    ((statement, parameters),) = asked
    with city.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(str(row) for row in rows)


@pytest.mark.parametrize("scope", SIGHTS, ids=["everything", "one home"])
def test_open_alarms_have_an_index_of_their_own(tmp_path: Path, scope: Scope) -> None:
    with empty_city(tmp_path) as city:
        with city.engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        reader = Reader(city.engine, scope)
        assert "ix_alarm_open" in plan_of(city, lambda: journal.count_open(reader))


@pytest.mark.parametrize(("scope", "count"), [(SIGHTS[0], 2), (SIGHTS[1], 1)], ids=["everything", "one home"])
def test_they_are_counted_as_they_are_listed(tmp_path: Path, scope: Scope, count: int) -> None:
    with small_city(tmp_path) as city:
        (number,) = city.observe(silent("donghu", NOW_MS - 60_000))
        reader = Reader(city.engine, scope)
        found = journal.count_open(reader)
        listed = journal.open_alarms(reader)
        assert found.count == len(listed) == count
        assert found.newest_unacknowledged == max(alarm.id for alarm in listed)
        city.alarms.acknowledge(number, "Li Min", "", NOW_MS)
        assert journal.count_open(reader).newest_unacknowledged == 1


def test_steps_out_of_sight_are_none_of_a_readers(tmp_path: Path) -> None:
    with small_city(tmp_path) as city:
        reader = Reader(city.engine, SIGHTS[1])
        before = journal.newest_step_id(reader)
        city.observe(silent("donghu", NOW_MS - 60_000))
        assert journal.newest_step_id(reader) == before < journal.last_step_id(reader)
        assert journal.newest_step_id(reader, before) == 0
