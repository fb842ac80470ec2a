"""Nitrogen oxides where a furnace's analyser shows NO and NO2 as channels of their own, from samples to verdicts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.units import Pollutant
from ingest_service.store.judged_tables import Judgement
from ingest_service.store.tables import Series
from ingest_service.store.transaction import transaction
from tests.ingest_service.workers.city import GAS, START, City


@contextmanager
def judged_city(folder: Path, values: Mapping[str, float], changed: Mapping[str, Mapping[str, str]]) -> Iterator[City]:
    """A furnace with channels for `values` alone, some `changed`, that burned for an hour."""
    city = City(folder, furnaces=1, channels=tuple(values))
    try:
        with transaction(city.engine) as session:
            for quantity, fields in changed.items():
                session.execute(update(Series).where(Series.quantity == quantity).values(**fields))
        city.write(1, np.arange(START, START + HOUR_MS, 10_000, dtype=np.int64), values)
        city.settle(START + 2 * HOUR_MS)
        yield city
    finally:
        city.close()


def nox_of(city: City) -> tuple[str, str, float | None]:
    """The first hour's verdict, cause and mean."""
    query = select(Judgement).where(Judgement.pollutant == Pollutant.NOX, Judgement.start_ms == START)
    with transaction(city.engine) as session:
        (row,) = session.scalars(query)
        return row.verdict, row.cause, row.mean


BURNING = {"phase": GAS["phase"], "flue_o2": 11.0}
PPM = {"no": {"unit": "ppm"}, "no2": {"unit": "ppm"}}


@pytest.mark.parametrize(
    ("values", "changed", "expected"),
    [
        pytest.param({"no": 60.0, "no2": 8.0}, {}, ("within", "", 100.0), id="60 mg of NO and 8 of NO2 are 100 of NOx"),
        pytest.param({"no": 150.0, "no2": 8.0}, {}, ("exceeded", "", 238.0), id="150 and 8 are over 200"),
        pytest.param({"no": 22.4, "no2": 11.2}, PPM, ("within", "", 69.0), id="ppm add up"),
        pytest.param({"no": 150.0, "no2": 8.0, "nox": 90.0}, {}, ("within", "", 90.0), id="a NOx channel goes first"),
        pytest.param({"no": 60.0}, {}, ("not_judged", "no_channel", None), id="NO alone is not all of it"),
        pytest.param(
            {"no": 60.0, "no2": 8.0}, {"no2": {"basis": "wet_standard"}}, ("not_judged", "no_basis", None),
            id="of two bases no sum is formed",
        ),
        pytest.param(
            {"no": 60.0, "no2": 8.0}, {"no": {"unit": "V"}}, ("not_judged", "unknown_unit", None), id="no known unit"
        ),
    ],
)  # fmt: skip
def test_nitrogen_oxides_are_judged_from_their_parts(
    tmp_path: Path,
    values: Mapping[str, float],
    changed: Mapping[str, Mapping[str, str]],
    expected: tuple[str, str, float | None],
) -> None:
    with judged_city(tmp_path, {**BURNING, **values}, changed) as city:
        verdict, cause, mean = nox_of(city)
    assert (verdict, cause) == expected[:2]
    assert mean == (None if expected[2] is None else pytest.approx(expected[2]))
