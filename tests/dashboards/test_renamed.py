"""A furnace that was renamed: legends show what it was called at each time, and no revision stands beside it."""

from collections.abc import Iterator

import msgspec
import pytest

from dashboards.targets import Dialect
from dashboards.types import Target
from ingest_service.store.derived.influx import InfluxDerived
from ingest_service.store.derived.point import DerivedStore, Point, fields_of, tags_of
from ingest_service.store.derived.victoria import VictoriaDerived
from ingest_service.store.remote.connection import Address
from ingest_service.workers.place_names import Called, History, history_of, named, points_of
from tests.dashboards.asked import DAY, Backends, Rows, rows_of_influxql, rows_of_promql
from tests.dashboards.seeding import BUCKET
from tests.dashboards.test_queries import ALL, after_ms
from tests.support.city import HOUR_MS, RULE

PLACE = ("xihu", "furnace-1")
BEFORE_MS, RENAMED_MS, AFTER_MS = DAY.from_ms + HOUR_MS, DAY.from_ms + 90 * 60_000, DAY.from_ms + 3 * HOUR_MS
HISTORY: History = {
    PLACE: [
        Called(DAY.from_ms, "西湖馆", "Xihu", "1号炉", "One"),
        Called(RENAMED_MS, "西湖馆", "Xihu", "甲炉", "Alpha"),
    ]
}
SPAN = msgspec.structs.replace(DAY, interval="1h", values=(("home", "xihu"), ("furnace", "furnace-1")))


def average(at_ms: int, mean: float) -> Point:
    tags = tags_of(home="xihu", furnace="furnace-1", pollutant="co", period="clock_hour", rule=RULE)
    return Point("average", tags, at_ms, fields_of(mean=mean, limit=150.0, valid=1.0, capture_pct=100.0, state=0.0))


@pytest.fixture(scope="module")
def stores(backends: Backends) -> Iterator[list[DerivedStore]]:
    """Each with the history, and with verdicts before and after, of which the earlier was revised later on."""
    found: list[DerivedStore] = [
        backends.embedded,
        InfluxDerived(Address(url=backends.influx), BUCKET),
        VictoriaDerived(Address(url=backends.victoria), backends.victoria),
    ]
    for store in found:
        store.write(list(points_of(HISTORY)))
        for point in (average(BEFORE_MS, 40.0), average(AFTER_MS, 50.0), average(BEFORE_MS, 44.0)):
            store.write([named(point, HISTORY)])
    backends.client.get(f"{backends.victoria}/internal/force_flush").raise_for_status()
    yield found
    for store in found[1:]:
        store.close()


def test_every_store_keeps_what_a_place_was_called(stores: list[DerivedStore]) -> None:
    for store in stores:
        columns = store.read("name", lambda tags: tags.get("home") == "xihu", 0, DAY.to_ms)
        assert history_of(columns) == HISTORY


def limits(dialect: Dialect, locale: str) -> Target:
    """The query of means of carbon monoxide."""
    page = next(page for one, of, page in ALL if (one, of, page.uid) == (dialect, locale, f"clearstack-emissions-{of}"))
    targets = [target for panel in page.panels for target in panel.targets or []]
    return next(one for one in targets if '"co"' in (one.expr or "") or "'co'" in (one.query or ""))


@pytest.mark.parametrize(("locale", "old", "new"), [("zh", "1号炉", "甲炉"), ("en", "One", "Alpha")])
def test_a_legend_has_the_name_of_each_time_and_a_revision_takes_its_place(
    locale: str, old: str, new: str, stores: list[DerivedStore], backends: Backends
) -> None:
    influxql, promql = limits(Dialect.INFLUXQL, locale), limits(Dialect.PROMQL, locale)
    assert influxql.alias == f"$tag_home_{locale} $tag_furnace_{locale} $tag_period"
    assert promql.legend_format == f"{{{{home_{locale}}}}} {{{{furnace_{locale}}}}} {{{{period}}}}"
    answers = [
        rows_of_influxql(backends.influxql(backends.service, influxql, SPAN)),
        rows_of_influxql(backends.influxql(backends.influx, influxql, SPAN)),
        rows_of_promql(backends.promql(promql, SPAN, after_ms=after_ms(promql)), HOUR_MS + after_ms(promql)),
    ]
    wanted = {old: {BEFORE_MS: 44.0}, new: {AFTER_MS: 50.0}}
    assert [by_name(rows, f"furnace_{locale}") for rows in answers] == [wanted] * 3


def by_name(rows: Rows, tag: str) -> dict[str, dict[int, float]]:
    return {dict(tags)[tag]: own for tags, own in rows.items()}
