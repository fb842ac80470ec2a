"""The audit trail in a database: in order, whoever writes at once, and what somebody with the database in hand does."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from ingest_service.audit.chain import START, Damage, Fault, faults
from ingest_service.audit.entry import Action, Entry
from ingest_service.errors import StoreError
from ingest_service.store.audit import AuditFilter, AuditTrail
from ingest_service.store.audit_head import HeadFile
from ingest_service.store.database import open_database
from ingest_service.store.transaction import transaction
from tests.support.waiting import PATIENCE_S

WRITERS, EACH = 3, 20


def entry(at_ms: int, **fields: str) -> Entry:
    """An acknowledgement by Li, or what the fields say."""
    said = {"who": "li", "address": "10.0.0.7", "action": Action.ALARM_ACKNOWLEDGED, "subject": f"alarm {at_ms}"}
    return Entry(at_ms=at_ms, **{**said, **fields})


@pytest.fixture
def engine(database: Engine) -> Engine:
    return database


@pytest.fixture
def trail(engine: Engine, tmp_path: Path) -> AuditTrail:
    return AuditTrail(engine, tmp_path / "audit-head")


def tamper(engine: Engine, statement: str) -> None:
    """What an administrator of the database can do: away with the triggers, then anything."""
    sqlite = [f"DROP TRIGGER IF EXISTS audit_record_{act}" for act in ("update", "delete")]
    away = {"sqlite": sqlite, "postgresql": ["SET LOCAL session_replication_role = replica"]}
    with engine.begin() as connection:
        for one in (*away[engine.dialect.name], statement):
            connection.execute(text(one))


def test_what_was_recorded_is_read_in_order_and_the_newest_first(trail: AuditTrail) -> None:
    said = [entry(at) for at in range(5)]
    ends = [trail.record(one) for one in said]
    assert [record.entry for record in trail.records()] == said
    assert [record.number for record in trail.newest(limit=2)] == [5, 4]
    assert (trail.head(), [end.number for end in ends]) == (ends[-1], [1, 2, 3, 4, 5])
    assert list(faults(trail.records(), [trail.head()])) == []


def test_an_empty_trail_is_sound(trail: AuditTrail) -> None:
    assert (list(trail.records()), trail.head()) == ([], START)


def test_the_trail_is_read_in_portions_without_a_gap(trail: AuditTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_service.store.audit.PORTION", 3)
    for at in range(7):
        trail.record(entry(at))
    assert [record.number for record in trail.records()] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (AuditFilter(who="wang"), [3]),
        (AuditFilter(action=Action.GRANTED), [2]),
        (AuditFilter(text="ALARM 1"), [1]),
        (AuditFilter(text="100%"), [4]),
        (AuditFilter(from_ms=2, to_ms=4), [2, 3]),
        (AuditFilter(homes=frozenset({"beishan"})), [4]),
        (AuditFilter(homes=frozenset()), []),
        (AuditFilter(before_number=3), [1, 2]),
        (AuditFilter(), [1, 2, 3, 4]),
    ],
)
def test_a_filter_finds_what_it_names(trail: AuditTrail, wanted: AuditFilter, numbers: list[int]) -> None:
    trail.record(entry(1))
    trail.record(entry(2, action=Action.GRANTED))
    trail.record(entry(3, who="wang"))
    trail.record(entry(4, home="beishan", why="seen, 100% sure"))
    assert [record.number for record in trail.records(wanted)] == numbers


def test_an_entry_stands_only_if_the_change_stands(engine: Engine, trail: AuditTrail) -> None:
    trail.record(entry(1))

    def failing_change() -> None:
        with transaction(engine) as session:
            trail.append(session, entry(2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing_change()
    assert trail.head().number == 1
    trail.record(entry(3))
    assert list(faults(trail.records(), [trail.head()])) == []


def test_two_entries_of_one_transaction_follow_each_other(engine: Engine, trail: AuditTrail, tmp_path: Path) -> None:
    with transaction(engine) as session:
        trail.append(session, entry(1))
        trail.append(session, entry(2))
    assert list(faults(trail.records(), [trail.head()])) == []
    assert HeadFile(tmp_path / "audit-head").read() == trail.head()


def write_some(url: str, folder: Path, writer: int) -> None:
    """What each of the processes does."""
    engine = open_database(url)
    trail = AuditTrail(engine, folder / "audit-head")
    for at in range(EACH):
        trail.record(entry(at, who=f"writer {writer}"))
    engine.dispose()


def test_writers_of_several_processes_make_one_chain_without_a_gap(engine: Engine, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    url = engine.url.render_as_string(hide_password=False)
    writers = [context.Process(target=write_some, args=(url, tmp_path, number)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(PATIENCE_S)
    trail = AuditTrail(engine)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert trail.head().number == WRITERS * EACH
    assert HeadFile(tmp_path / "audit-head").read() == trail.head()
    assert list(faults(trail.records(), [trail.head()])) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_record SET who = 'wang' WHERE number = 2", "DELETE FROM audit_record WHERE number = 2"],
)
def test_the_database_refuses_a_change(engine: Engine, trail: AuditTrail, statement: str) -> None:
    for at in range(3):
        trail.record(entry(at))
    with pytest.raises(DatabaseError, match="only added to"), engine.begin() as connection:
        connection.execute(text(statement))
    assert len(list(trail.records())) == 3


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_record SET who = 'wang' WHERE number = 2", [Fault(Damage.CHANGED, 2)]),
        ("UPDATE audit_record SET at_ms = at_ms - 1 WHERE number = 2", [Fault(Damage.CHANGED, 2)]),
        ("DELETE FROM audit_record WHERE number = 2", [Fault(Damage.MISSING, 2, 2)]),
        ("DELETE FROM audit_record WHERE number < 3", [Fault(Damage.MISSING, 1, 2)]),
        ("DELETE FROM audit_record WHERE number > 3", [Fault(Damage.CUT_OFF, 4, 5)]),
        ("DELETE FROM audit_record", [Fault(Damage.CUT_OFF, 1, 5)]),
    ],
)
def test_who_holds_the_database_is_found_out(
    engine: Engine, trail: AuditTrail, tmp_path: Path, statement: str, found: list[Fault]
) -> None:
    for at in range(5):
        trail.record(entry(at))
    tamper(engine, statement)
    noted = HeadFile(tmp_path / "audit-head").read()
    assert noted is not None
    assert list(faults(trail.records(), [noted])) == found


def test_a_noted_end_never_falls(tmp_path: Path, trail: AuditTrail) -> None:
    first, second = trail.record(entry(1)), trail.record(entry(2))
    file = HeadFile(tmp_path / "audit-head")
    file.raise_to(first)
    assert file.read() == second


def test_an_end_that_cannot_be_noted_does_not_undo_what_was_recorded(engine: Engine, tmp_path: Path) -> None:
    trail = AuditTrail(engine, tmp_path / "no such folder" / "audit-head")
    assert trail.record(entry(1)) == trail.head()


@pytest.mark.parametrize("content", [b"", b"12", b"x:y", b"1:" + b"g" * 64, b"1:" + b"0" * 63])
def test_a_file_that_holds_no_end_holds_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "audit-head").write_bytes(content)
    assert HeadFile(tmp_path / "audit-head").read() is None


def unreadable(folder: Path) -> None:
    (folder / "audit-head").mkdir()


def not_ascii(folder: Path) -> None:
    (folder / "audit-head").write_bytes(b"\xff")


@pytest.mark.parametrize("spoil", [unreadable, not_ascii])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path)
    with pytest.raises(StoreError, match="audit-head"):
        HeadFile(tmp_path / "audit-head").read()


def test_a_trail_that_was_cut_off_is_told_at_the_start(engine: Engine, trail: AuditTrail) -> None:
    for at in range(3):
        trail.record(entry(at))
    assert trail.compare_end()
    start = f"UPDATE audit_head SET number = 1, digest = '{START.digest}'"
    with engine.begin() as connection:
        connection.execute(text(start))
    with structlog.testing.capture_logs() as lines:
        assert not trail.compare_end()
    assert [line["event"] for line in lines] == ["audit_trail_cut_off"]


def test_a_trail_whose_end_is_noted_nowhere_cannot_be_found_cut_off(engine: Engine) -> None:
    assert AuditTrail(engine).compare_end()
