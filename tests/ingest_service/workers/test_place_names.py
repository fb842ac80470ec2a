"""Names of places over time: what a point is tagged with depends on its own time, not on when it is made."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from ingest_service.store.derived.point import DerivedColumn, Point, column_of, fields_of, tags_of
from ingest_service.store.judged_tables import Judgement
from ingest_service.store.rows import FurnaceRow, HomeRow
from ingest_service.store.tables import Furnace, Home
from ingest_service.workers.derive import DeriveWorker
from ingest_service.workers.place_names import (
    NAMED,
    RENEWED_MS,
    Called,
    called_at,
    history_of,
    joined,
    named,
    news,
    points_of,
)
from tests.dashboards.seeding import sources
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS, RULE, City, small_city

HOME = HomeRow(id="beishan", name_zh="北山殡仪馆", name_en="Beishan")
FURNACE = FurnaceRow(home_id="beishan", name="furnace-1", name_zh="1号炉")
PLACE = ("beishan", "furnace-1")


def point(at_ms: int, measurement: str = "average", **tags: str) -> Point:
    own = {"home": "beishan", "furnace": "furnace-1", **tags}
    return Point(measurement, tags_of(**own), at_ms, fields_of(mean=1.0))


def test_names_hold_from_the_next_second_on_and_are_said_once() -> None:
    history = news({}, [HOME], [FURNACE], 1_500)
    assert history == {
        ("beishan", ""): (Called(2_000, "北山殡仪馆", "Beishan"),),
        PLACE: (Called(2_000, "北山殡仪馆", "Beishan", "1号炉", "1号炉"),),
    }
    assert news(history, [HOME], [FURNACE], 1_500 + HOUR_MS) == {}
    again = news(history, [HOME], [FURNACE], 1_000 + RENEWED_MS)
    assert again.keys() == history.keys(), "before any retention takes them away"


def test_a_point_has_the_names_of_its_own_time() -> None:
    old = news({}, [HOME], [FURNACE], 0)
    renamed = FurnaceRow(home_id="beishan", name="furnace-1", name_zh="一号火化机", name_en="Unit 1")
    history = joined(old, news(old, [HOME], [renamed], HOUR_MS))
    before, after = named(point(HOUR_MS), history), named(point(2 * HOUR_MS), history)
    assert dict(before.tags)["furnace_zh"] == "1号炉"
    assert dict(after.tags)["furnace_zh"] == "一号火化机"
    assert dict(after.tags)["furnace_en"] == "Unit 1"
    assert dict(named(point(-HOUR_MS), history).tags)["furnace_zh"] == "1号炉", "nothing is known of earlier names"
    assert named(after, history) == after


@pytest.mark.parametrize("measurement", ["furnace", "service", "progress"])
def test_other_points_stay_as_they_are(measurement: str) -> None:
    history = news({}, [HOME], [FURNACE], 0)
    assert measurement not in NAMED
    assert named(point(HOUR_MS, measurement), history) == point(HOUR_MS, measurement)


def test_a_place_that_nobody_knows_gets_no_names() -> None:
    assert named(point(HOUR_MS, home="elsewhere"), {}) == point(HOUR_MS, home="elsewhere")


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.text("甲乙ab", min_size=1)), min_size=1, unique_by=lambda one: one[0])
)
def test_a_history_is_read_as_it_was_kept(said: list[tuple[int, str]]) -> None:
    own = tuple(Called(at_s * 1_000, f"馆{name}", name, name, f"{name}!") for at_s, name in sorted(said))
    kept = list(points_of({PLACE: own}))
    columns: list[DerivedColumn] = [
        column_of(kept[0].tags, name, [one.at_ms for one in kept], [dict(one.texts)[name] for one in kept])
        for name, _ in kept[0].texts
    ]
    assert history_of(columns) == {PLACE: list(own)}
    for one in own:
        assert called_at(own, one.since_ms) == one


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with small_city(tmp_path) as seeded:
        yield seeded


def test_a_verdict_that_is_revised_after_a_rename_stays_one_point(city: City) -> None:
    DeriveWorker(sources(city), city.derived, lambda: city.now_ms).step(NOW_MS)
    with Session(city.engine) as session, session.begin():
        session.execute(update(Furnace).where(Furnace.id == city.furnaces[0].id).values(name_zh="一号火化机"))
        session.execute(update(Home).where(Home.id == "beishan").values(name_zh="北山馆"))
    hour_ms = NOW_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    anew = DeriveWorker(sources(city), city.derived, lambda: city.now_ms)  # what it knows, the store has kept
    anew.step(NOW_MS + MINUTE_MS)
    later_ms = NOW_MS + 2 * MINUTE_MS
    judged = {
        "furnace_id": city.furnaces[0].id, "rule": RULE, "pollutant": "hcl", "mean": 12.0, "peak": 12.0, "limit": 30.0,
        "unit": "mg/m3", "valid_minutes": 60, "verdict": "within", "revision": 5, "computed_at_ms": NOW_MS,
    }  # fmt: skip
    city.insert(
        Judgement,
        judged | {"start_ms": hour_ms, "end_ms": hour_ms + HOUR_MS},
        judged | {"start_ms": later_ms, "end_ms": later_ms + HOUR_MS},
    )
    anew.step(NOW_MS + MINUTE_MS + 10_000)
    found = city.derived.read("average", lambda own: own.get("pollutant") == "hcl", 0, NOW_MS + HOUR_MS, {"mean"})
    own = [one for one in found if dict(one.tags)["furnace"] == "furnace-1"]
    said = {dict(one.tags)["furnace_zh"]: dict(zip(one.at_ms.tolist(), one.value.tolist(), strict=True)) for one in own}
    assert said["1号炉"][hour_ms] == 12.0, "in the place of what it was"
    assert said["一号火化机"] == {later_ms: 12.0}
    assert {dict(one.tags)["home_zh"] for one in own} == {"北山殡仪馆", "北山馆"}
