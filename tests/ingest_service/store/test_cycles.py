import msgspec
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ingest_service.cycles.cycle import Cycle, FoundBy
from ingest_service.store.cycle_tables import Cremation
from ingest_service.store.cycles import Changed, CycleStore, cycle_of, cycles_of
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.tables import Table

HOUR = 3_600_000
T0 = 495_000 * HOUR


def cycle(case: str, start_h: float, end_h: float, furnace: int = 1, gas_m3: float | None = 20.0) -> Cycle:
    start_ms = T0 + round(start_h * HOUR)
    return Cycle(
        furnace_id=furnace,
        case_number=case,
        found_by=FoundBy.SIGNALS,
        start_ms=start_ms,
        charge_ms=start_ms + 300_000,
        end_ms=T0 + round(end_h * HOUR),
        chamber2_limit_c=850.0,
        gas_m3=gas_m3,
        co2_kg_per_m3=2.0,
    )


def test_a_cremation_is_told_of_where_it_touches_the_time_that_is_asked_for(engine: Engine) -> None:
    store = CycleStore(engine)
    changed = store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5), cycle("b", 1.5, 3)], T0)
    assert changed == [Changed(1, T0, T0 + 90 * 60_000), Changed(1, T0 + 90 * 60_000, T0 + 3 * HOUR)]
    assert [row.case_number for row in store.cycles(T0 + 2 * HOUR, T0 + 3 * HOUR)] == ["b"]
    assert store.spans(T0, T0 + 9 * HOUR).start_ms.tolist() == [T0, T0 + 90 * 60_000]
    assert len(store.spans(T0 + 3 * HOUR, T0 + 9 * HOUR)) == 0


def test_the_same_again_changes_nothing(engine: Engine) -> None:
    store = CycleStore(engine)
    store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5)], T0)
    assert store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5)], T0 + 1) == []
    assert [row.revision for row in store.cycles(T0, T0 + HOUR)] == [0]


def test_what_late_data_change_is_a_revision_and_the_first_one_stays(engine: Engine) -> None:
    store = CycleStore(engine)
    store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5)], T0)
    assert store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 2)], T0 + 9) == [Changed(1, T0, T0 + 2 * HOUR)]
    (row,) = store.cycles(T0, T0 + HOUR)
    assert (row.revision, row.revision_reason, row.end_ms) == (1, "late_data", T0 + 2 * HOUR)
    with Session(engine) as session:
        assert [one.end_ms for one in session.query(Cremation)] == [T0 + 90 * 60_000, T0 + 2 * HOUR]


def test_a_cremation_that_is_none_after_all_is_withdrawn_and_may_come_back(engine: Engine) -> None:
    store = CycleStore(engine)
    store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5)], T0)
    assert store.record(1, T0, T0 + 4 * HOUR, [], T0 + 9) == [Changed(1, T0, T0 + 90 * 60_000)]
    assert store.cycles(T0, T0 + HOUR) == []
    assert store.record(1, T0, T0 + 4 * HOUR, [], T0 + 10) == []
    store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5)], T0 + 11)
    assert [row.revision for row in store.cycles(T0, T0 + HOUR)] == [2]


def test_what_lies_outside_the_time_that_was_looked_at_stays(engine: Engine) -> None:
    store = CycleStore(engine)
    store.record(1, T0, T0 + 9 * HOUR, [cycle("a", 0, 1.5), cycle("b", 5, 6)], T0)
    assert store.record(1, T0 + 4 * HOUR, T0 + 9 * HOUR, [cycle("b", 5, 6)], T0 + 1) == []
    assert [row.case_number for row in store.cycles(T0, T0 + 9 * HOUR)] == ["a", "b"]


def test_a_reader_sees_the_cremations_of_their_own_homes(engine: Engine) -> None:
    store = CycleStore(engine)
    store.record(1, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5)], T0)
    store.record(2, T0, T0 + 4 * HOUR, [cycle("a", 0, 1.5, furnace=2, gas_m3=None)], T0)
    mine = Reader(engine, Scope(frozenset({"h2"})))
    (row,) = cycles_of(mine, [1, 2], T0, T0 + HOUR)
    assert (row.furnace_id, row.gas_m3) == (2, None)
    assert cycle_of(mine, 1, "a") is None
    assert cycle_of(mine, 2, "a") == row


def test_every_field_of_a_cremation_is_a_column() -> None:
    assert set(Cycle.__struct_fields__) <= set(Cremation.__table__.columns.keys())
    assert msgspec.structs.asdict(cycle("a", 0, 1))["gas_m3"] == 20.0


def test_the_migrations_make_the_tables_that_the_code_names(engine: Engine) -> None:
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    assert [one for one in found if "cremation" in str(one) or "energy_hour" in str(one)] == []
