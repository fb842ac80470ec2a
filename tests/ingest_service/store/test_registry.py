import pytest
from sqlalchemy import Engine, text

from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from ingest_service.errors import RejectedMessage, StoreError
from ingest_service.store.registry import DeviceBirth, NodeBirth, Registry

AT_MS = 1_764_000_000_000


def channel(name: str, unit: str = "mg/m3", alias: int = 1) -> ChannelBirth:
    return ChannelBirth(name=name, alias=alias, datatype=DataType.FLOAT, unit=unit, quantity="co", states={0: "idle"})


def node_birth(home_zh: str = "东山殡仪馆") -> Birth:
    return Birth(channels=(), attributes={"HomeNameZh": home_zh, "DistrictEn": "East", "Software": "clearstack 1"})


def device_birth(*channels: ChannelBirth, furnace: str = "F1", name_en: str = "Furnace 1") -> Birth:
    return Birth(channels=channels, attributes={"Furnace": furnace, "NameEn": name_en, "Profile": "simulator"})


@pytest.fixture
def engine(database: Engine) -> Engine:
    return database


@pytest.fixture
def registry(engine: Engine) -> Registry:
    registry = Registry(engine)
    registry.register_node("east", "edge-1", node_birth(), AT_MS)
    return registry


def test_a_birth_gives_ids_and_keeps_names(registry: Registry) -> None:
    source = registry.register_device("east", "edge-1", "plc", device_birth(channel("co"), channel("o2", "%")))
    assert set(source.series) == {"co", "o2"}
    assert [home.name_zh for home in registry.homes()] == ["东山殡仪馆"]
    assert [(furnace.name, furnace.name_en) for furnace in registry.furnaces()] == [("F1", "Furnace 1")]
    described = registry.describe([source.series["o2"], source.series["co"], 999_999])
    assert [(row.channel, row.unit, row.quantity, row.states) for row in described] == [
        ("o2", "%", "co", {0: "idle"}),
        ("co", "mg/m3", "co", {0: "idle"}),
    ]


def test_a_later_birth_updates_names_and_units_and_keeps_ids(registry: Registry) -> None:
    first = registry.register_device("east", "edge-1", "plc", device_birth(channel("co"), channel("o2")))
    again = registry.register_device(
        "east", "edge-1", "plc", device_birth(channel("co", "ppm"), channel("so2"), name_en="Furnace One")
    )
    assert again.id == first.id
    assert {name: again.series[name] for name in ("co", "o2")} == dict(first.series)
    assert set(again.series) == {"co", "o2", "so2"}
    assert registry.describe([first.series["co"]])[0].unit == "ppm"
    assert registry.furnaces()[0].name_en == "Furnace One"


def test_what_was_registered_is_the_same_after_a_restart(engine: Engine, registry: Registry) -> None:
    source = registry.register_device("east", "edge-1", "plc", device_birth(channel("co")))
    node = registry.register_device("east", "edge-1", "", Birth(channels=(channel("outbox_depth"),)))
    registry.seen({source.edge_id: AT_MS + 5})
    reopened = Registry(engine)
    assert reopened.sources() == (source, node)
    assert reopened.homes() == registry.homes()
    assert reopened.furnaces() == registry.furnaces()
    assert reopened.series() == registry.series()
    assert [(edge.software, edge.first_seen_ms, edge.last_seen_ms) for edge in reopened.edges()] == [
        ("clearstack 1", AT_MS, AT_MS + 5)
    ]


def test_the_same_birth_again_changes_nothing(registry: Registry) -> None:
    first = registry.register_device("east", "edge-1", "plc", device_birth(channel("co")))
    version = registry.version
    registry.register_node("east", "edge-1", node_birth(), AT_MS + 1000)
    assert registry.register_device("east", "edge-1", "plc", device_birth(channel("co"))) == first
    assert registry.version == version


def test_a_device_without_furnace_attribute_is_its_own_furnace_and_a_node_has_none(registry: Registry) -> None:
    source = registry.register_device("east", "edge-1", "kiln", Birth(channels=(channel("co"),)))
    node = registry.register_device("east", "edge-1", "", Birth(channels=(channel("depth"),)))
    assert registry.furnaces()[0].name == "kiln"
    assert source.furnace_id == registry.furnaces()[0].id
    assert node.furnace_id is None


def test_the_first_device_of_a_furnace_names_it(registry: Registry) -> None:
    plc = registry.register_device("east", "edge-1", "plc", device_birth(channel("t1"), name_en="Furnace 1"))
    analyser = registry.register_device("east", "edge-1", "cems", device_birth(channel("co"), name_en="Analyser"))
    assert plc.furnace_id == analyser.furnace_id
    assert registry.furnaces()[0].name_en == "Furnace 1"


def test_a_name_that_the_tables_cannot_hold_is_rejected_and_nothing_is_written(registry: Registry) -> None:
    before = registry.series()
    with pytest.raises(RejectedMessage, match="201 characters"):
        registry.register_device("east", "edge-1", "plc", device_birth(channel("o2"), channel("x" * 201)))
    assert registry.series() == before
    assert registry.sources() == ()


def test_a_failing_database_is_a_store_error_and_memory_does_not_run_ahead(engine: Engine, registry: Registry) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE series RENAME TO gone"))
    with pytest.raises(StoreError, match="relational database"):
        registry.register_device("east", "edge-1", "plc", device_birth(channel("co")))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO series"))
    assert registry.sources() == ()
    assert set(registry.register_device("east", "edge-1", "plc", device_birth(channel("co"))).series) == {"co"}


def test_many_births_at_once_are_kept_as_one_by_one(engine: Engine, registry: Registry) -> None:
    registry.register_all(
        [
            NodeBirth("west", "edge-2", node_birth("西山"), AT_MS),
            DeviceBirth("west", "edge-2", "plc", device_birth(channel("co"), channel("o2"))),
            DeviceBirth("north", "edge-9", "plc", device_birth(channel("co"))),
            DeviceBirth("east", "edge-1", "x" * 201, device_birth(channel("co"))),
            DeviceBirth("east", "edge-1", "plc", device_birth(channel("co"))),
        ]
    )
    version = registry.version
    west = registry.register_device("west", "edge-2", "plc", device_birth(channel("co"), channel("o2")))
    assert registry.version == version, "it was known already"
    assert [(source.home, source.device) for source in registry.sources()] == [("west", "plc"), ("east", "plc")]
    assert Registry(engine).describe(west.series.values()) == registry.describe(west.series.values())


def test_a_birth_that_brings_nothing_new_asks_nothing_of_the_database(engine: Engine, registry: Registry) -> None:
    registry.register_device("east", "edge-1", "plc", device_birth(channel("co")))
    with engine.begin() as other:
        other.execute(text("ALTER TABLE edge RENAME TO gone"))
    again = registry.register_node("east", "edge-1", node_birth(), AT_MS + 9)
    assert again.last_seen_ms == AT_MS + 9
    assert set(registry.register_device("east", "edge-1", "plc", device_birth(channel("co"))).series) == {"co"}
