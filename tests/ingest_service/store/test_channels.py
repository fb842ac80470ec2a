from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from ingest_service.store.channels import NO_ID, Channels, read_channels
from ingest_service.store.channels_cache import ChannelsCache
from ingest_service.store.registry import Registry
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source
from tests.support.database import new_database


@pytest.fixture
def channels(tmp_path: Path) -> Iterator[Channels]:
    engine = new_database(tmp_path)
    populate(engine)
    yield read_channels(engine)
    engine.dispose()


def populate(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(Home(id="h1", name_zh="青山"))
        session.flush()
        session.add(Edge(id=1, home_id="h1", name="e1", first_seen_ms=0, last_seen_ms=0))
        session.add_all([Furnace(id=1, home_id="h1", name="f1"), Furnace(id=2, home_id="h1", name="f2", name_en="Two")])
        session.flush()
        session.add(Source(id=1, edge_id=1, device="", furnace_id=None))
        session.add_all(Source(id=one + 1, edge_id=1, device=f"d{one}", furnace_id=one) for one in (1, 2))
        session.flush()
        session.add(Series(id=5, source_id=1, channel="outbox_depth"))
        session.add_all(Series(id=20 + one, source_id=3, channel=f"co_{one}", quantity="co") for one in (2, 1))
        session.add(Series(id=10, source_id=2, channel="o2", quantity="flue_o2", unit="%", period_s=10.0))


def test_channels_are_columns_sorted_by_series(channels: Channels) -> None:
    assert channels.series.tolist() == [5, 10, 21, 22]
    assert channels.source.tolist() == [1, 2, 3, 3]
    assert channels.furnace.tolist() == [NO_ID, 1, 2, 2]
    assert channels.furnaces.tolist() == [1, 2]


def test_the_oldest_series_of_a_quantity_stands_for_it(channels: Channels) -> None:
    furnaces = np.array([2, 1, 9], np.int64)
    assert channels.series_of("co", furnaces).tolist() == [21, NO_ID, NO_ID]
    assert channels.series_of("flue_o2", furnaces).tolist() == [NO_ID, 10, NO_ID]
    assert channels.series_of("hcl", furnaces).tolist() == [NO_ID] * 3


def test_what_has_no_name_goes_by_its_id(channels: Channels) -> None:
    row = channels.of_furnace(2)
    assert (row.home_zh, row.home_en) == ("青山", "h1")
    assert (row.furnace_zh, row.furnace_en) == ("f2", "Two")
    assert channels.row(5).furnace_zh == ""
    assert channels.row(10).name_en == "o2"


@pytest.mark.parametrize("unknown", [0, 7, 99])
def test_an_unknown_series_is_an_error(channels: Channels, unknown: int) -> None:
    with pytest.raises(KeyError):
        channels.row(unknown)


def test_channels_are_the_same_from_memory_as_from_the_database(tmp_path: Path) -> None:
    engine = new_database(tmp_path)
    populate(engine)
    registry = Registry(engine)
    cache = ChannelsCache(registry)
    for birth in (None, device("co"), device("co", "o2"), device("co", unit="ppm"), device("co", furnace_en="One")):
        if birth is not None:
            registry.register_device("h1", "e1", "d9", birth)
        registry.register_node("h1", "e1", Birth(channels=(), attributes={"HomeNameEn": f"Home {birth}"}), 9)
        remembered, read = cache.current(), read_channels(engine)
        assert remembered.rows == read.rows
        for column in ("series", "source", "furnace", "quantity", "period_s"):
            np.testing.assert_array_equal(getattr(remembered, column), getattr(read, column))
    assert cache.current() is cache.current()
    engine.dispose()


def device(*names: str, unit: str = "%", furnace_en: str = "") -> Birth:
    channels = tuple(ChannelBirth(name=name, alias=None, datatype=DataType.FLOAT, unit=unit) for name in names)
    return Birth(channels=channels, attributes={"Furnace": "f9", "NameEn": furnace_en})
