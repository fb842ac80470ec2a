"""What a reader is shown of judgements: the newest revision of each period, inside their scope."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from ingest_service.errors import StoreError
from ingest_service.store import overview, trends
from ingest_service.store.judged_tables import Judgement
from ingest_service.store.overview import Reader, Scope, ping
from tests.support.city import HOUR_MS, NOW_MS, City, small_city

START_MS = NOW_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with small_city(tmp_path) as seeded:
        yield seeded


def reader(city: City, *homes: str) -> Reader:
    return Reader(city.engine, Scope(frozenset(homes) if homes else None))


def revise(city: City, revision: int, mean: float) -> None:
    """A later revision of the exceeded hour of HCl."""
    city.insert(
        Judgement,
        {
            "furnace_id": city.furnaces[0].id,
            "rule": "gb13801-2015-table2@1",
            "pollutant": "hcl",
            "start_ms": START_MS,
            "end_ms": START_MS + HOUR_MS,
            "mean": mean,
            "peak": 66.2,
            "limit": 30.0,
            "unit": "mg/m3",
            "valid_minutes": 60,
            "verdict": "exceeded",
            "revision": revision,
            "revision_reason": "late data",
            "computed_at_ms": NOW_MS,
        },
    )


def test_the_newest_revision_of_a_period_is_shown_once(city: City) -> None:
    revise(city, 2, 40.1)
    revise(city, 1, 44.0)
    found = trends.judgements(reader(city), city.furnaces[0].id, START_MS, START_MS + HOUR_MS)
    assert len(found) == 5
    assert [(period.mean, period.revision) for period in found if period.pollutant == "hcl"] == [(40.1, 2)]


def test_every_record_of_a_period_that_was_judged_again_is_told_the_first_too(city: City) -> None:
    assert trends.revisions(reader(city), city.furnaces[0].id, 0, NOW_MS) == []
    revise(city, 1, 44.0)
    found = trends.revisions(reader(city), city.furnaces[0].id, 0, NOW_MS)
    assert [(one.pollutant, one.revision, one.verdict) for one in found] == [
        ("hcl", 0, "exceeded"),
        ("hcl", 1, "exceeded"),
    ]
    assert trends.revisions(reader(city, "donghu"), city.furnaces[0].id, 0, NOW_MS) == []


def test_whether_anything_was_judged_before_is_told_within_the_readers_scope(city: City) -> None:
    furnace = city.furnaces[0].id
    first_ms = min(one.start_ms for one in trends.judgements(reader(city), furnace, 0, NOW_MS))
    assert trends.judged_before(reader(city), furnace, first_ms + 1)
    assert not trends.judged_before(reader(city), furnace, first_ms)
    assert not trends.judged_before(reader(city, "donghu"), furnace, NOW_MS)


def test_judgements_and_exceedances_end_at_the_readers_scope(city: City) -> None:
    furnace = city.furnaces[0].id
    span = (NOW_MS - 48 * HOUR_MS, NOW_MS)
    assert trends.judgements(reader(city, "beishan"), furnace, *span)
    assert trends.judgements(reader(city, "donghu"), furnace, *span) == []
    assert trends.exceedances(reader(city, "donghu"), None, None, *span, 10) == []
    assert len(trends.exceedances(reader(city, "beishan"), None, furnace, *span, 10)) == 1


def test_an_empty_scope_sees_nothing_at_all(city: City) -> None:
    nothing = Reader(city.engine, Scope(frozenset()))
    assert overview.homes(nothing) == []
    assert overview.furnaces(nothing) == []
    assert overview.series(nothing) == []
    assert overview.edges(nothing) == []


def test_a_series_is_found_with_its_place(city: City) -> None:
    furnace = city.furnaces[3]
    (known,) = overview.series(reader(city), series_ids=[furnace.series["co"]])
    assert (known.home_id, known.furnace_id, known.edge, known.device) == ("donghu", furnace.id, "gateway", "furnace-1")
    assert (known.channel, known.unit, known.period_s, known.basis) == ("co", "mg/m3", 10.0, "dry_standard")


def test_a_database_that_fails_is_said_in_our_own_words(city: City) -> None:
    Judgement.metadata.drop_all(city.engine)
    with pytest.raises(StoreError, match="no such table: home") as caught:
        overview.homes(reader(city))
    assert isinstance(caught.value.__cause__, OperationalError)
    ping(city.engine)
