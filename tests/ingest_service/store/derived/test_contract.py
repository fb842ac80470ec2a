"""What every keeper of derived series must do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest_service.alarms.facts import Name
from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.config import Retention
from ingest_service.store.derived.changes import Exceeded
from ingest_service.store.derived.embedded import EmbeddedDerived
from ingest_service.store.derived.influx import InfluxDerived
from ingest_service.store.derived.point import DerivedStore, Point, Tags, fields_of, tags_of
from ingest_service.store.derived.victoria import VictoriaDerived
from ingest_service.store.remote.connection import Address
from ingest_service.workers.derived_points import exceedance_event, withdrawn_exceedance
from ingest_service.workers.expected_points import Bounds, expected_points
from tests.ingest_service.store.stores import mark_of
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics

HOUR_MS = 3_600_000
START_MS = 1_764_000_000_000 // HOUR_MS * HOUR_MS
KINDS = ("embedded", "influxdb", "victoriametrics")
Shown = dict[tuple[Tags, str], list[tuple[int, float | str]]]


class Keeper:
    """One store, and how what was written there becomes visible."""

    def __init__(self, store: DerivedStore, flush: Callable[[], None], home: str) -> None:
        self.store, self._flush, self.home = store, flush, home

    def shown(self, measurement: str, home: str | None = None) -> Shown:
        self._flush()
        wanted = home or self.home
        found = self.store.read(measurement, lambda tags: tags.get("home") == wanted, START_MS, START_MS + 9 * HOUR_MS)
        return {
            (one.tags, one.field): [
                (at_ms - START_MS, value) for at_ms, value in zip(one.at_ms.tolist(), one.value.tolist(), strict=True)
            ]
            for one in found
        }


@pytest.fixture(params=KINDS)
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    mark = mark_of(tmp_path)
    if request.param == "embedded":
        made = Keeper(EmbeddedDerived(tmp_path), lambda: None, mark)
    elif request.param == "influxdb":
        influx: InfluxDB = request.getfixturevalue("influx")
        for suffix in ("_minute", "_hour"):
            influx.question(f'CREATE DATABASE "d{mark}{suffix}"').raise_for_status()
        made = Keeper(InfluxDerived(Address(url=influx.url), f"d{mark}"), lambda: None, mark)
    else:
        victoria: VictoriaMetrics = request.getfixturevalue("victoria")
        made = Keeper(VictoriaDerived(Address(url=victoria.url), victoria.url), victoria.flush, mark)
    yield made
    made.store.close()


def average(keeper: Keeper, after_ms: int, mean: float, furnace: str = "1号炉, a=b") -> Point:
    fields = fields_of(mean=mean, limit=30.0)
    return Point("average", tags_of(home=keeper.home, furnace=furnace), START_MS + after_ms, fields)


def event(keeper: Keeper, title: str, end_ms: int, after_ms: int = 0) -> Point:
    texts = tags_of(title_zh=f"{title}，超标", title_en=f"{title}, over")
    tags = tags_of(home=keeper.home, furnace="f", kind="exceedance", subject="co")
    return Point("event", tags, START_MS + after_ms, fields_of(end_ms=float(end_ms)), texts)


def test_points_come_back_by_tags_and_field(keeper: Keeper) -> None:
    keeper.store.write([average(keeper, HOUR_MS, 12.5), average(keeper, 0, 11.0), average(keeper, 0, 7.0, "f2")])
    own, other = tags_of(home=keeper.home, furnace="1号炉, a=b"), tags_of(home=keeper.home, furnace="f2")
    assert keeper.shown("average") == {
        (own, "mean"): [(0, 11.0), (HOUR_MS, 12.5)],
        (own, "limit"): [(0, 30.0), (HOUR_MS, 30.0)],
        (other, "mean"): [(0, 7.0)],
        (other, "limit"): [(0, 30.0)],
    }


def test_the_same_points_again_change_nothing(keeper: Keeper) -> None:
    written = [average(keeper, 0, 11.0), event(keeper, "CO", 5)]
    for _ in range(2):
        keeper.store.write(written)
    assert keeper.shown("average")[tags_of(home=keeper.home, furnace="1号炉, a=b"), "mean"] == [(0, 11.0)]
    assert len(keeper.shown("event")) == 3


def test_a_revision_takes_the_place_of_what_was(keeper: Keeper) -> None:
    for mean in (40.0, 20.0, 25.0):
        keeper.store.write([average(keeper, 0, mean)])
    assert keeper.shown("average")[tags_of(home=keeper.home, furnace="1号炉, a=b"), "mean"] == [(0, 25.0)]


def test_an_event_that_is_told_anew_is_told_once(keeper: Keeper) -> None:
    keeper.store.write([event(keeper, "CO 31", 5), event(keeper, "CO 99", 9, HOUR_MS)])
    keeper.shown("event")
    keeper.store.write([event(keeper, "CO 44", 7)])
    tags = tags_of(home=keeper.home, furnace="f", kind="exceedance", subject="co")
    found = keeper.shown("event")
    assert found[tags, "title_zh"] == [(0, "CO 44，超标"), (HOUR_MS, "CO 99，超标")]
    assert found[tags, "end_ms"] == [(0, 7.0), (HOUR_MS, 9.0)]


def test_an_exceedance_keeps_its_span_and_figures_until_it_is_withdrawn(keeper: Keeper) -> None:
    one = Exceeded(
        home_id=keeper.home, furnace="f", rule="r@1", clause="c", pollutant="co", averaging="clock_hour",
        bound="at_most", start_ms=START_MS, end_ms=START_MS + HOUR_MS, mean=160.0, peak=180.5, limit=150.0,
        unit="mg/m3",
    )  # fmt: skip
    told = exceedance_event(one, Name("表2", "Table 2"))
    keeper.store.write([told])
    found = keeper.shown("event")
    figures = {"begin_ms": START_MS, "end_ms": START_MS + HOUR_MS, "peak": 180.5, "limit": 150.0, "holds": 1.0}
    assert {name: found[told.tags, name] for name in figures} == {name: [(0, one)] for name, one in figures.items()}
    assert found[told.tags, "title_en"] == [(0, "Carbon monoxide hour mean 160 > 150 mg/m³")]
    keeper.store.write([withdrawn_exceedance(told.tags, told.at_ms)])
    assert keeper.shown("event")[told.tags, "holds"] == [(0, 0.0)]


def test_what_is_expected_is_kept_by_quantity_and_renewed_for_its_minute_alone(keeper: Keeper) -> None:
    place, times = tags_of(home=keeper.home, furnace="f"), START_MS + 60_000 * np.arange(3)
    usual = np.array([[float(10 * minute + at) for at in range(len(QUANTITIES))] for minute in range(3)])
    usual[1, 0] = np.nan
    written = Bounds(times, usual, usual + 1.0)
    keeper.store.write(list(expected_points([place] * 3, written)))
    keeper.store.write(list(expected_points([place], Bounds(times[2:], usual[2:] + 5.0, usual[2:] + 6.0))))
    low, high = keeper.shown("expected_low"), keeper.shown("expected_high")
    assert low[place, QUANTITIES[0]] == [(0, 0.0), (120_000, 25.0)]
    assert high[place, QUANTITIES[1]] == [(0, 2.0), (60_000, 12.0), (120_000, 27.0)]
    assert {field for _, field in low} == set(QUANTITIES)


def test_of_what_is_admitted_only_what_has_the_tags_that_are_asked_for_comes(keeper: Keeper) -> None:
    keeper.store.write([average(keeper, 0, 1.0, "it's f"), average(keeper, 0, 2.0, "f2")])
    keeper.shown("average")
    for furnace, mean in (("it's f", 1.0), ("f2", 2.0)):
        where = tags_of(home=keeper.home, furnace=furnace)
        (column,) = keeper.store.read("average", lambda _tags: True, START_MS, START_MS + 1_000, {"mean"}, where)
        assert (column.tags, column.value.tolist()) == (where, [mean])
        assert keeper.store.read("average", lambda _tags: False, START_MS, START_MS + 1_000, None, where) == []


def test_only_what_is_admitted_comes(keeper: Keeper) -> None:
    keeper.store.write([average(keeper, 0, 1.0)])
    assert keeper.shown("average", "another home") == {}


def test_many_points_at_once_are_all_kept(keeper: Keeper) -> None:
    keeper.store.write([average(keeper, at * 60_000, float(at), "f") for at in range(480)])
    found = keeper.shown("average")[tags_of(home=keeper.home, furnace="f"), "mean"]
    assert found == [(at * 60_000, float(at)) for at in range(480)]


def test_the_embedded_store_lets_go_of_what_is_too_old_and_keeps_the_rest_over_a_restart(tmp_path: Path) -> None:
    store = EmbeddedDerived(tmp_path)
    made = Keeper(store, lambda: None, "h")
    old = Point("edge", tags_of(home="h", edge="e"), START_MS, fields_of(online=1.0))
    store.write([old, average(made, 0, 1.0), Point("edge", old.tags, START_MS + HOUR_MS, old.fields)])
    store.retire(Retention(minute_days=1, hour_days=0), START_MS + 24 * HOUR_MS + 1)
    store.close()
    again = Keeper(EmbeddedDerived(tmp_path), lambda: None, "h")
    assert again.shown("edge") == {(old.tags, "online"): [(HOUR_MS, 1.0)]}
    assert len(again.shown("average")) == 2
    again.store.close()
