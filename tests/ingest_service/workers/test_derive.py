"""What the service writes for dashboards: once for each row, again for its revisions, and how all stands."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import Select, delete, update
from sqlalchemy.orm import Session

from ingest_service.errors import StoreError
from ingest_service.store.batch import DirtyMinutes, MeanBatch
from ingest_service.store.cycle_tables import Cremation, EnergyHour
from ingest_service.store.derived.embedded import EmbeddedDerived
from ingest_service.store.derived.point import DerivedColumn, Point
from ingest_service.store.judged_tables import Exceedance, Judgement, Mark
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.tables import Furnace, Home
from ingest_service.workers import derive
from ingest_service.workers.derive import DeriveWorker
from tests.dashboards.seeding import cremation, sources
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS, RULE, City, small_city, stuck

THIS_HOUR_MS = NOW_MS // HOUR_MS * HOUR_MS


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with small_city(tmp_path) as seeded:
        yield seeded


def worker(city: City, derived: EmbeddedDerived | None = None) -> DeriveWorker:
    return DeriveWorker(sources(city), derived or city.derived, lambda: city.now_ms)


def columns(city: City, measurement: str, field: str, **tags: str) -> list[DerivedColumn]:
    found = city.derived.read(measurement, lambda own: tags.items() <= own.items(), 0, NOW_MS + HOUR_MS)
    return [column for column in found if column.field == field]


def newest(city: City, measurement: str, field: str, **tags: str) -> float | str:
    (column,) = columns(city, measurement, field, **tags)
    value: float | str = column.value[-1]
    return value


def at(city: City, at_ms: int, measurement: str, field: str, **tags: str) -> list[float | str]:
    return [
        value for one in columns(city, measurement, field, **tags) for value in one.value[one.at_ms == at_ms].tolist()
    ]


def test_a_mean_stands_against_its_limit(city: City) -> None:
    worker(city).step(NOW_MS)
    hour_ms = THIS_HOUR_MS - 2 * HOUR_MS
    of = {"home": "beishan", "furnace": "furnace-1", "pollutant": "hcl", "period": "clock_hour", "rule": RULE}
    found = {name: at(city, hour_ms, "average", name, **of) for name in ("mean", "limit", "valid", "exceeded", "state")}
    assert found == {"mean": [41.83], "limit": [30.0], "valid": [1.0], "exceeded": [1.0], "state": [1.0]}
    assert at(city, hour_ms, "average", "headroom_pct", **of) == [pytest.approx(-39.43, abs=0.01)]
    invalid_ms = THIS_HOUR_MS - 3 * HOUR_MS
    assert at(city, invalid_ms, "average", "valid", **of) == [0.0]
    assert at(city, invalid_ms, "average", "capture_pct", **of) == [pytest.approx(100 * 31 / 60)]


def test_the_same_step_again_writes_no_row_twice(city: City) -> None:
    assert worker(city).step(NOW_MS) > 100
    again = worker(city)
    again.step(NOW_MS + 2 * MINUTE_MS)
    written = [0]
    city.derived.write = lambda points: written.append(len(points))  # type: ignore[method-assign]
    again.step(NOW_MS + 2 * MINUTE_MS + 10_000)
    assert sum(written) == 0


def test_a_worker_that_starts_anew_goes_on_where_the_last_one_was(city: City, tmp_path: Path) -> None:
    worker(city).step(NOW_MS)
    worker(city).step(NOW_MS + 2 * MINUTE_MS)
    seen: list[Point] = []

    class Watched(EmbeddedDerived):
        def write(self, points: Sequence[Point]) -> None:
            seen.extend(points)

    watched = Watched(tmp_path / "watched")
    watched.read = city.derived.read  # type: ignore[method-assign]
    worker(city, watched).step(NOW_MS + 4 * MINUTE_MS)
    watched.close()
    assert {point.measurement for point in seen} >= {"furnace", "edge", "alarm", "service"}
    assert "average" not in {point.measurement for point in seen}


def test_a_revision_takes_the_place_of_the_verdict_before(city: City) -> None:
    steady = worker(city)
    steady.step(NOW_MS)
    hour_ms = THIS_HOUR_MS - 2 * HOUR_MS
    city.insert(Judgement, {
        "furnace_id": city.furnaces[0].id, "rule": RULE, "pollutant": "hcl", "start_ms": hour_ms,
        "end_ms": hour_ms + HOUR_MS, "mean": None, "peak": None, "limit": 30.0, "unit": "mg/m3", "valid_minutes": 12,
        "verdict": "invalid", "cause": "marked", "revision": 1, "computed_at_ms": NOW_MS,
    })  # fmt: skip
    steady.step(NOW_MS + 10_000)
    of = {"home": "beishan", "furnace": "furnace-1", "pollutant": "hcl"}
    assert at(city, hour_ms, "average", "valid", **of) == [0.0], "what counted does not count any more"
    assert at(city, hour_ms, "average", "exceeded", **of) == [0.0]


def test_furnaces_edges_and_alarms_stand_as_they_do_now(city: City) -> None:
    worker(city).step(NOW_MS)
    first = {"home": "beishan", "furnace": "furnace-1"}
    assert newest(city, "furnace", "phase", **first) == 4.0
    assert newest(city, "furnace", "burning", **first) == 1.0
    assert newest(city, "furnace", "alarms", **first) == 1.0
    assert newest(city, "furnace", "headroom_pct", **first) == pytest.approx(100 * (200 - 139) / 200)
    assert newest(city, "furnace", "age_s", **first) == pytest.approx(0.4)
    (column,) = columns(city, "furnace", "phase", **first)
    names = {
        "home_zh": "北山殡仪馆",
        "furnace_en": "Furnace 1",
        "city_en": "Jiangcheng",
        "furnace_choice_zh": "1号炉/furnace-1",
    }
    assert names.items() <= dict(column.tags).items()
    assert newest(city, "edge", "online", home="beishan") == 1.0
    assert newest(city, "edge", "clock_offset_ms", home="beishan") == 120.0
    assert newest(city, "alarm", "open", home="beishan", severity="high") == 1.0
    assert newest(city, "alarm", "open", home="nanping", severity="high") == 0.0, "no alarm is a figure too"


def test_an_edge_that_says_nothing_is_silent(city: City) -> None:
    city.edges = [msgspec.structs.replace(city.edges[0], last_seen_ms=NOW_MS - 90_000), *city.edges[1:]]
    worker(city).step(NOW_MS)
    assert newest(city, "edge", "silent", home="beishan") == 1.0
    assert newest(city, "edge", "silent_s", home="beishan") == pytest.approx(90.0)
    assert newest(city, "edge", "silent", home="donghu") == 0.0


def test_completeness_is_the_covered_share_of_every_channel(city: City) -> None:
    worker(city).step(NOW_MS)
    channels = newest(city, "completeness", "channels", home="beishan", furnace="furnace-1")
    covered = newest(city, "completeness", "covered_pct", home="beishan", furnace="furnace-1")
    assert covered == pytest.approx(100 * 8 / float(channels))  # the history of the city has eight channels


def test_hour_means_of_concentrations_stand_under_the_names_of_the_furnace(city: City) -> None:
    first, hour_ms = city.furnaces[0], THIS_HOUR_MS - 2 * HOUR_MS
    ids = np.array(sorted(first.series[name] for name in ("co", "flue_o2", "chamber_draught")), np.int32)
    names = {series: name for name, series in first.series.items()}
    mean = np.array([{"co": 61.0, "flue_o2": 9.5, "chamber_draught": -20.0}[names[one]] for one in ids.tolist()])
    means = MeanBatch(ids, np.full(3, hour_ms, np.int64), mean, mean, mean, np.full(3, 0.75, np.float32))
    city.store.write_means(means, means, DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64)))
    worker(city).step(NOW_MS)
    of = {"home": "beishan", "furnace_zh": "1号炉", "furnace_en": "Furnace 1"}
    fields = ("co", "co_covered", "flue_o2_covered", "flue_o2", "chamber_draught")
    found = {name: at(city, hour_ms, "measured", name, **of) for name in fields}
    assert found == {
        "co": [61.0],
        "co_covered": [0.75],
        "flue_o2_covered": [0.75],
        "flue_o2": [],
        "chamber_draught": [],
    }


def test_a_late_verdict_makes_the_completeness_of_its_hour_anew(city: City) -> None:
    steady, hour_ms = worker(city), THIS_HOUR_MS - 40 * HOUR_MS
    for minute in range(4):
        steady.step(NOW_MS + minute * MINUTE_MS)
    first = city.furnaces[0]
    ids = np.array(sorted(first.series.values()), np.int32)
    mean, starts = np.full(len(ids), 1.0), np.full(len(ids), hour_ms, np.int64)
    means = MeanBatch(ids, starts, mean, mean, mean, np.full(len(ids), 0.5, np.float32))
    nothing = DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))
    city.store.write_means(means, means, nothing)
    city.insert(EnergyHour, {
        "furnace_id": first.id, "start_ms": hour_ms, "gas_m3": 30.0, "gas_in_cycles_m3": 22.0, "burning_s": 1800.0,
        "hot_idle_s": 0.0,
    })  # fmt: skip
    city.insert(Judgement, {
        "furnace_id": first.id, "rule": RULE, "pollutant": "co", "start_ms": hour_ms, "end_ms": hour_ms + HOUR_MS,
        "mean": 1.0, "peak": 1.0, "limit": 150.0, "unit": "mg/m3", "valid_minutes": 50, "verdict": "within",
        "revision": 3, "computed_at_ms": NOW_MS,
    })  # fmt: skip
    steady.step(NOW_MS + 4 * MINUTE_MS)
    steady.step(NOW_MS + 5 * MINUTE_MS)
    assert at(city, hour_ms, "completeness", "covered_pct", furnace="furnace-1") == [pytest.approx(50.0)]
    assert at(city, hour_ms, "energy", "gas_idle_m3", furnace="furnace-1") == [8.0]


def test_events_speak_both_languages_and_end_when_it_ends(city: City) -> None:
    steady = worker(city)
    steady.step(NOW_MS)
    raised_ms = NOW_MS - 20 * MINUTE_MS
    city.observe(stuck(city.furnaces[0], raised_ms))
    steady.step(NOW_MS + 10_000)
    of = {"kind": "alarm", "home": "beishan"}
    assert at(city, raised_ms, "event", "end_ms", **of) == [float(raised_ms)]
    city.observe(msgspec.structs.replace(stuck(city.furnaces[0], raised_ms), ends_ms=NOW_MS))
    steady.step(NOW_MS + 20_000)
    assert at(city, raised_ms, "event", "end_ms", **of) == [float(NOW_MS)]


def test_an_exceedance_is_an_event_of_its_own_span_with_its_figures(city: City) -> None:
    worker(city).step(NOW_MS)
    start_ms = THIS_HOUR_MS - 2 * HOUR_MS
    of = {"kind": "exceedance", "home": "beishan", "furnace": "furnace-1", "subject": f"{RULE}:hcl:clock_hour"}
    figures = {name: at(city, start_ms, "event", name, **of) for name in ("begin_ms", "end_ms", "peak", "limit")}
    assert figures == {"begin_ms": [start_ms], "end_ms": [start_ms + HOUR_MS], "peak": [66.2], "limit": [30.0]}
    assert newest(city, "event", "title_zh", **of) == "氯化氢 小时均值 41.83 > 30 mg/m³"
    assert "GB 13801-2015" in str(newest(city, "event", "text_en", **of))
    assert columns(city, "event", "holds", kind="alarm", home="beishan") == [], "its alarm tells nothing more"


def test_an_exceedance_that_moved_or_vanished_leaves_nothing_that_holds(city: City) -> None:
    steady, start_ms = worker(city), THIS_HOUR_MS - 2 * HOUR_MS
    steady.step(NOW_MS)
    judged = {
        "furnace_id": city.furnaces[0].id, "rule": RULE, "pollutant": "hcl", "end_ms": start_ms + HOUR_MS,
        "mean": 41.83, "peak": 66.2, "limit": 30.0, "unit": "mg/m3", "valid_minutes": 60, "verdict": "exceeded",
        "revision": 7, "computed_at_ms": NOW_MS,
    }  # fmt: skip
    with Session(city.engine) as session, session.begin():
        session.execute(update(Exceedance).values(start_ms=start_ms - HOUR_MS))
    city.insert(
        Judgement, judged | {"start_ms": start_ms}, judged | {"start_ms": start_ms - HOUR_MS, "end_ms": start_ms}
    )
    steady.step(NOW_MS + 10_000)
    assert at(city, start_ms, "event", "holds", kind="exceedance") == [0.0]
    assert at(city, start_ms - HOUR_MS, "event", "holds", kind="exceedance") == [1.0]
    with Session(city.engine) as session, session.begin():
        session.execute(delete(Exceedance))
    city.insert(Judgement, judged | {"start_ms": start_ms - HOUR_MS, "revision": 8, "verdict": "within"})
    steady.step(NOW_MS + 20_000)
    assert at(city, start_ms - HOUR_MS, "event", "holds", kind="exceedance") == [0.0]


def test_a_cremation_that_moved_or_vanished_leaves_nothing_that_holds(city: City) -> None:
    steady, first = worker(city), cremation(city.furnaces[0], 0)
    city.insert(Cremation, first)
    steady.step(NOW_MS)
    charge_ms = int(str(first["charge_ms"]))
    assert at(city, charge_ms, "cycle", "gas_m3") == [25.0]
    moved = first | {"charge_ms": charge_ms + MINUTE_MS, "gas_m3": 26.0, "revision": 1}
    city.insert(Cremation, moved)
    steady.step(NOW_MS + 10_000)
    assert at(city, charge_ms, "cycle", "holds") == [0.0]
    assert at(city, charge_ms + MINUTE_MS, "cycle", "gas_m3") == [26.0]
    city.insert(Cremation, moved | {"revision": 2, "withdrawn": True})
    steady.step(NOW_MS + 20_000)
    assert at(city, charge_ms + MINUTE_MS, "cycle", "holds") == [0.0]
    assert at(city, int(str(first["start_ms"])), "event", "holds", kind="cycle") == [0.0]


def test_a_mark_that_was_withdrawn_does_not_hold(city: City) -> None:
    steady, start_ms = worker(city), THIS_HOUR_MS - HOUR_MS
    mark = {
        "id": 1, "furnace_id": city.furnaces[0].id, "act": "entered", "state": "maintenance", "start_ms": start_ms,
        "end_ms": start_ms + HOUR_MS, "reason": "换滤袋", "who": "王建国", "recorded_at_ms": NOW_MS,
    }  # fmt: skip
    city.insert(Mark, mark)
    steady.step(NOW_MS)
    assert at(city, start_ms, "event", "holds", kind="mark") == [1.0]
    city.insert(Mark, mark | {"id": 2, "act": "withdrawn", "replaces": 1})
    steady.step(NOW_MS + 10_000)
    assert at(city, start_ms, "event", "holds", kind="mark") == [0.0]


def test_a_store_that_failed_gets_everything_later(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "ROWS_AT_ONCE", 20)
    steady, write, calls = worker(city), city.derived.write, [0]

    def failing(points: Sequence[Point]) -> None:
        calls[0] += 1
        if calls[0] == 3:
            raise StoreError("away")
        write(points)

    monkeypatch.setattr(city.derived, "write", failing)
    with pytest.raises(StoreError):
        steady.step(NOW_MS)
    steady.step(NOW_MS + 10_000)
    (column,) = columns(city, "average", "state", home="beishan", furnace="furnace-1", pollutant="hcl")
    assert len(column.at_ms) == 34


def test_a_home_that_comes_while_it_is_read_stops_nothing(city: City) -> None:
    class Growing(Reader):
        """Between any two looks another home with a furnace has come."""

        def rows(self, query: Select[*tuple[Any, ...]]) -> list[Mapping[str, Any]]:
            found = super().rows(query)
            home = f"new{next(numbers)}"
            city.insert(Home, {"id": home})
            city.insert(Furnace, {"home_id": home, "name": "furnace-1"})
            return found

    numbers = count(1)
    growing = msgspec.structs.replace(sources(city), reader=Growing(city.engine, Scope()))
    late = DeriveWorker(growing, city.derived, lambda: city.now_ms)
    assert late.step(NOW_MS) > 100
    assert late.step(NOW_MS + MINUTE_MS) > 0
    named = {dict(one.tags)["home"] for one in columns(city, "name", "text_zh")}
    assert {"beishan", "new1"} <= named
