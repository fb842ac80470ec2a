"""Alarms of a database from before they could belong to a node, and those that do."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ingest_service.alarms.facts import facts_to_json
from ingest_service.alarms.lifecycle import Condition, Place
from ingest_service.alarms.vocabulary import Kind
from ingest_service.store import journal
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.database import database_url, open_database
from ingest_service.store.overview import Reader, Scope
from tests.ingest_service.alarms.examples import FACTS, NOON, ZONE

HOME = (
    "INSERT INTO home (id, name_zh, name_en, district_zh, district_en, city_zh, city_en) "
    "VALUES ('h1', '', '', '', '', '', '')"
)
ALARM = text(
    "INSERT INTO alarm (id, key, kind, severity, home_id, facts, raised_at_ms, noticed_at_ms, acknowledged_by) "
    "VALUES (7, 'edge_silent:h1:e1', 'edge_silent', 'high', 'h1', :facts, 5, 6, '')"
)
STEP = "INSERT INTO alarm_event (alarm_id, step, at_ms, recorded_at_ms, who, note) VALUES (7, 'raised', 5, 6, '', '')"
CITY = Place("", node_id="city:a")


def upgraded(url: str, revision: str) -> None:
    engine = create_engine(url)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", "ingest_service.store:migrations")
    with engine.begin() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, revision)
    with Session(engine) as session, session.begin():
        session.execute(text(HOME))
        session.execute(ALARM, {"facts": facts_to_json(FACTS[Kind.EDGE_SILENT])})
        session.execute(text(STEP))
    engine.dispose()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    url = database_url(tmp_path, "")
    upgraded(url, "0008")
    return open_database(url)


def test_alarms_and_their_steps_outlive_the_change_of_their_table(engine: Engine) -> None:
    (alarm,) = journal.open_alarms(Reader(engine, Scope()))
    assert (alarm.id, alarm.home_id, alarm.node) == (7, "h1", "home:h1")
    assert [step.step for step in journal.steps(Reader(engine, Scope()), 7)] == ["raised"]
    assert {index["name"] for index in inspect(engine).get_indexes("alarm")} >= {"ix_alarm_home_id", "ix_alarm_key"}
    engine.dispose()


def test_steps_refer_to_an_alarm_that_is_there_after_the_change_too(engine: Engine) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(STEP.replace("(7,", "(8,")))
    engine.dispose()


@pytest.mark.parametrize(
    ("scope", "sees"),
    [
        (Scope(), True),
        (Scope(frozenset({"h1"}), frozenset({"city:a", "home:h1"})), True),
        (Scope(frozenset({"h1"}), frozenset({"home:h1"})), False),
        (Scope(frozenset(), frozenset({"city:b"})), False),
    ],
    ids=["who sees everything", "who sees the city", "who sees a home of it", "who sees another city"],
)
def test_an_alarm_of_a_node_is_seen_by_those_who_see_the_node(engine: Engine, scope: Scope, sees: bool) -> None:
    store, reader = AlarmStore(engine, (), ZONE), Reader(engine, scope)
    (row,) = store.settle([Condition("plumbing:x", CITY, FACTS[Kind.PLUMBING], NOON)], NOON)
    assert row.alarm.place == CITY
    assert (row.id in [one.id for one in journal.open_alarms(reader)]) is sees
    assert bool(journal.steps(reader, row.id)) is sees
    engine.dispose()
