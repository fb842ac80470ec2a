import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy import Engine

from edge_agent.wire.birth import Birth
from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, GapReason
from ingest_service.store.gaps import GapLog, GapRow, gaps_between
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.registry import Registry
from ingest_service.store.tables import Table

AT_MS = 1_764_000_000_000
GAP = Gap("plc", AT_MS, AT_MS + 60_000, 120, GapReason.SIZE_LIMIT)
EPOCH = 2**64 - 5  # wider than any column of whole numbers


@pytest.fixture
def engine(database: Engine) -> Engine:
    registry = Registry(database)
    for home, device, furnace in (("east", "plc", "F1"), ("east", "plc-2", "F2"), ("west", "plc", "F1")):
        registry.register_node(home, "edge-1", Birth(channels=()), AT_MS)
        registry.register_device(home, "edge-1", device, Birth(channels=(), attributes={"Furnace": furnace}))
    return database


@pytest.fixture
def log(engine: Engine) -> GapLog:
    return GapLog(engine)


def row(count: int = 1, gap: Gap = GAP, edge_id: int = 1, epoch: int = EPOCH) -> GapRow:
    return GapRow(edge_id, epoch, FIRST_GAP_BLOCK + count, gap, AT_MS + 99_000)


def seen(
    engine: Engine,
    homes: frozenset[str] | None = None,
    from_ms: int = AT_MS - 1,
    to_ms: int = AT_MS + 1,
    furnace_id: int | None = None,
) -> list[tuple[str, str, GapReason]]:
    found = gaps_between(Reader(engine, Scope(homes)), from_ms, to_ms, furnace_id=furnace_id)
    return [(gap.home_id, gap.device, gap.reason) for gap in found]


def test_a_gap_is_kept_as_it_came(engine: Engine, log: GapLog) -> None:
    assert log.add([row(gap=replace(GAP, channels=("co", "一氧化碳")))]) == 1
    (found,) = gaps_between(Reader(engine, Scope()), AT_MS, AT_MS + 1)
    assert (found.home_id, found.edge, found.device, found.channels) == ("east", "edge-1", "plc", ("co", "一氧化碳"))
    assert (found.from_ms, found.to_ms, found.samples) == (AT_MS, AT_MS + 60_000, 120)
    assert (found.reason, found.received_at_ms) == (GapReason.SIZE_LIMIT, AT_MS + 99_000)


def test_a_record_that_comes_again_is_kept_once(engine: Engine, log: GapLog) -> None:
    assert [log.add([row()]), log.add([row(), row()])] == [1, 0]
    assert len(seen(engine)) == 1


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        pytest.param(row(2), 1, id="the same gap under a new number, after a damaged outbox, is kept once"),
        pytest.param(row(gap=replace(GAP, to_ms=AT_MS + 9)), 1, id="another gap under the same number is the same"),
        pytest.param(row(2, replace(GAP, channels=("co",))), 2, id="the same time of another channel is another gap"),
        pytest.param(row(2, replace(GAP, reason=GapReason.OVERRUN)), 2, id="another reason is another gap"),
        pytest.param(row(epoch=4, gap=replace(GAP, from_ms=AT_MS - 5)), 2, id="a number of another outbox is another"),
        pytest.param(row(edge_id=2), 2, id="another edge has its own"),
    ],
)
def test_of_two_records(engine: Engine, log: GapLog, other: GapRow, kept: int) -> None:
    log.add([row(), other])
    assert len(seen(engine)) == kept


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "found"),
    [
        pytest.param(AT_MS - 9, AT_MS, 0, id="before it"),
        pytest.param(AT_MS - 9, AT_MS + 1, 1, id="its first ms"),
        pytest.param(AT_MS + 60_000, AT_MS + 70_000, 1, id="its last ms"),
        pytest.param(AT_MS + 60_001, AT_MS + 70_000, 0, id="after it"),
    ],
)
def test_a_gap_is_found_in_a_span_that_holds(engine: Engine, log: GapLog, from_ms: int, to_ms: int, found: int) -> None:
    log.add([row()])
    assert len(seen(engine, from_ms=from_ms, to_ms=to_ms)) == found


def test_a_furnace_is_concerned_by_gaps_of_its_devices_and_of_its_whole_edge(engine: Engine, log: GapLog) -> None:
    whole = replace(GAP, device="", reason=GapReason.CORRUPT_FILE)
    log.add([row(1), row(2, replace(GAP, device="plc-2")), row(3, whole), row(1, edge_id=2)])
    assert seen(engine, furnace_id=1) == [
        ("east", "plc", GapReason.SIZE_LIMIT),
        ("east", "", GapReason.CORRUPT_FILE),
    ]
    assert seen(engine, furnace_id=3) == [("west", "plc", GapReason.SIZE_LIMIT)]


def test_a_reader_sees_the_gaps_of_their_homes_only(engine: Engine, log: GapLog) -> None:
    log.add([row(), row(edge_id=2)])
    assert seen(engine, frozenset({"west"})) == [("west", "plc", GapReason.SIZE_LIMIT)]


def test_the_migrations_make_the_tables_as_they_are_declared(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
