"""Curves of nitrogen oxides where a furnace's analyser shows NO and NO2 as channels of their own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.api.drawn import OF_PARTS, drawn_means, drawn_series
from ingest_service.store import overview
from ingest_service.store.overview import KnownSeries, Reader, Scope
from ingest_service.store.tables import Series
from ingest_service.store.transaction import transaction
from tests.ingest_service.workers.city import MINUTE, START, City


@contextmanager
def shown(folder: Path, values: Mapping[str, float], of_no2: Mapping[str, str]) -> Iterator[City]:
    """A furnace that showed `values` for ten minutes; its NO2 channel may be another than usual."""
    city = City(folder, furnaces=1, channels=tuple(values))
    try:
        if of_no2:
            with transaction(city.engine) as session:
                session.execute(update(Series).where(Series.quantity == "no2").values(**of_no2))
        city.write(1, np.arange(START, START + 10 * MINUTE, 10_000, dtype=np.int64), values)
        city.settle(START + 2 * HOUR_MS)
        yield city
    finally:
        city.close()


def known_in(city: City) -> list[KnownSeries]:
    return overview.series(Reader(city.engine, Scope()), [1])


@pytest.mark.parametrize(
    ("values", "of_no2", "expected"),
    [
        pytest.param({"co": 5.0, "no": 60.0, "no2": 8.0}, {}, 100.0, id="60 mg of NO and 8 of NO2 are 100 of NOx"),
        pytest.param({"no": 60.0, "no2": 11.2}, {"unit": "ppm"}, 115.0, id="each in its unit"),
        pytest.param({"no": 60.0, "no2": 8.0}, {"basis": "wet_standard"}, None, id="of two bases no sum is drawn"),
        pytest.param({"no": 60.0, "no2": 8.0}, {"unit": "V"}, None, id="nor of an unknown unit"),
    ],
)
def test_oxides_measured_apart_are_drawn_as_their_sum(
    tmp_path: Path, values: Mapping[str, float], of_no2: Mapping[str, str], expected: float | None
) -> None:
    with shown(tmp_path, values, of_no2) as city:
        known = known_in(city)
        assert [(one.quantity, one.unit) for one in drawn_series(known)][-1] == ("nox", "mg/m3")
        batch = drawn_means(city.store, known, MINUTE_MS, START, START + HOUR_MS)
    own = batch.series == OF_PARTS
    assert batch.start_ms[own].tolist()[:10] == list(range(START, START + 10 * MINUTE, MINUTE))
    found = batch.mean[own][:10]
    assert np.isnan(found).all() if expected is None else found == pytest.approx(np.full(10, expected))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"no": 60.0, "no2": 8.0, "nox": 90.0}, id="a channel of their own"),
        pytest.param({"no": 60.0}, id="NO alone"),
    ],
)
def test_no_sum_is_drawn_where_there_is_none_to_form(tmp_path: Path, values: Mapping[str, float]) -> None:
    with shown(tmp_path, values, {}) as city:
        known = known_in(city)
        batch = drawn_means(city.store, known, MINUTE_MS, START, START + 10 * MINUTE)
    assert [one.quantity for one in drawn_series(known)] == [name for name in values if name == "nox"]
    assert OF_PARTS not in batch.series
