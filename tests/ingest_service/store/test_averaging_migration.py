"""Judgements and exceedances of a database from before they named their averaging."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.orm import Session

from ingest_service.store.database import database_url, open_database
from ingest_service.store.judgements import JudgementStore

HOUR = 495_000 * 3_600_000
PLACE = (
    "INSERT INTO home (id, name_zh, name_en, district_zh, district_en, city_zh, city_en) "
    "VALUES ('h1', '', '', '', '', '', '')",
    "INSERT INTO furnace (id, home_id, name, name_zh, name_en) VALUES (1, 'h1', 'f1', '', '')",
)
JUDGED = (
    "INSERT INTO judgement (furnace_id, rule, pollutant, start_ms, end_ms, mean, peak, limit_value, unit, "
    "valid_minutes, verdict, cause, revision, revision_reason, computed_at_ms) "
    f"VALUES (1, 'r@1', 'co', {HOUR}, {HOUR + 3_600_000}, 160.0, 180.0, 150.0, 'mg/m3', 60, 'exceeded', '', 0, '', 0)"
)
OVER = (
    "INSERT INTO exceedance (furnace_id, rule, clause, pollutant, start_ms, end_ms, mean, peak, limit_value, unit, "
    f"revision) VALUES (1, 'r@1', 'c', 'co', {HOUR}, {HOUR + 3_600_000}, 160.0, 180.0, 150.0, 'mg/m3', 0)"
)


def old_database(folder: Path) -> str:
    url = database_url(folder, "")
    engine = create_engine(url)
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", "ingest_service.store:migrations")
    with engine.begin() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "0002")
    with Session(engine) as session, session.begin():
        for statement in (*PLACE, JUDGED, OVER):
            session.execute(text(statement))
    engine.dispose()
    return url


def test_what_was_judged_before_is_of_clock_hours_and_on_the_upper_side(tmp_path: Path) -> None:
    engine = open_database(old_database(tmp_path))
    (row,) = JudgementStore(engine).exceedances(HOUR)
    assert (row.averaging, row.bound, row.mean) == ("clock_hour", "at_most", 160.0)
    (newest,) = JudgementStore(engine).last_periods()
    assert (newest.averaging, newest.start_ms) == ("clock_hour", HOUR)
    engine.dispose()


def test_two_averagings_can_begin_at_the_same_time(tmp_path: Path) -> None:
    engine = open_database(old_database(tmp_path))
    unique = [one["column_names"] for one in inspect(engine).get_unique_constraints("judgement")]
    assert unique == [["furnace_id", "rule", "pollutant", "averaging", "start_ms", "revision"]]
    engine.dispose()
