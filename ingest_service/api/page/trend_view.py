"""What the curves of a furnace show: their ranges, their plots with legends, and the same as a table. Pure."""

import math
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import quote

import msgspec

from edge_agent.wire.durations import DAY_MS, HOUR_MS
from ingest_service.api.drawn import drawn_series
from ingest_service.api.page.formats import Clock, number, unit_text
from ingest_service.api.page.hour_bar import pollutant_name
from ingest_service.api.page.shown import series_name
from ingest_service.api.page.texts import Texts
from ingest_service.emissions.rulepack import Limit
from ingest_service.store.batch import MeanBatch
from ingest_service.store.overview import KnownSeries


class Range(StrEnum):
    """The spans that a reader may choose. All but yesterday end now and go with the time."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    YESTERDAY = "yesterday"


SPANS_MS = {Range.HOUR: HOUR_MS, Range.SIX_HOURS: 6 * HOUR_MS, Range.DAY: DAY_MS}
# The plots that are not about one limit: key -> quantities, each on its own axis where the units differ.
COMMON_PLOTS = {
    "temperatures": ("chamber1_temperature", "chamber2_temperature"),
    "oxygen": ("flue_o2", "co"),
}
HOUR_MEAN = "hour:"  # begins the key of a line of judged hour means


class Line(msgspec.Struct, frozen=True):
    """One curve; `quantity` is its key in the trend's data."""

    quantity: str
    name: str
    unit: str


class Plot(msgspec.Struct, frozen=True):
    """One plot; `limit` and `pollutant` are "" where no limit applies."""

    key: str
    pollutant: str
    limit: str
    lines: list[Line]


class TableRow(msgspec.Struct, frozen=True):
    """One hour of the table."""

    label: str
    texts: list[str]


class Table(msgspec.Struct, frozen=True):
    """The curves as hour means."""

    names: list[str]
    rows: list[TableRow]


class TrendView(msgspec.Struct, frozen=True):
    """All that the curves need; `range` and `ranges` are empty where the span is fixed, `onset_ms` marks a moment."""

    url: str
    from_ms: int
    to_ms: int
    follows: bool
    range: str
    ranges: list[str]
    plots: list[Plot]
    table: Table | None = None
    onset_ms: int | None = None


def trends_url(home_id: str, furnace: str) -> str:
    """Where the data of the curves come from."""
    return f"/api/v1/homes/{quote(home_id, safe='')}/furnaces/{quote(furnace, safe='')}/trends"


def span_of(wanted: Range, now_ms: int, clock: Clock) -> tuple[int, int]:
    """From and to of a range at `now_ms`."""
    if wanted is Range.YESTERDAY:
        return clock.day_start_ms(now_ms, 1), clock.day_start_ms(now_ms)
    return now_ms - SPANS_MS[wanted], now_ms


def plots_of(series: Sequence[KnownSeries], limits: Sequence[Limit], t: Texts) -> list[Plot]:
    """The plots for which there are series."""
    known = {one.quantity: one for one in (*reversed(series), *drawn_series(series))}
    common = [
        Plot(key, "", "", [_line(known[quantity], t) for quantity in wanted if quantity in known])
        for key, wanted in COMMON_PLOTS.items()
    ]
    return [plot for plot in common if plot.lines] + [
        _limit_plot(known[limit.pollutant], limit, t) for limit in limits if limit.pollutant in known
    ]


def table_of(series: Sequence[KnownSeries], hours: MeanBatch, clock: Clock, t: Texts) -> Table | None:
    """Hour means of those series, newest first; None where there are none."""
    means = {
        (int(start), int(one)): float(mean)
        for one, start, mean in zip(hours.series, hours.start_ms, hours.mean, strict=True)
    }
    starts = sorted({start for start, _ in means}, reverse=True)
    if not starts:
        return None
    names = [f"{series_name(one, t)} {unit_text(one.unit)}" for one in series]
    rows = [
        TableRow(
            clock.at(start).strftime("%m-%d %H:%M"), [_mean_text(one, means.get((start, one.id))) for one in series]
        )
        for start in starts
    ]
    return Table(names, rows)


def _mean_text(series: KnownSeries, mean: float | None) -> str:
    return "–" if mean is None or not math.isfinite(mean) else number(mean, series.unit, series.quantity)


def _line(series: KnownSeries, t: Texts) -> Line:
    return Line(series.quantity, series_name(series, t), unit_text(series.unit))


def _limit_plot(series: KnownSeries, limit: Limit, t: Texts) -> Plot:
    unit = unit_text(limit.unit)
    measured = Line(
        series.quantity, t("trend.measured", name=pollutant_name(limit.pollutant, t)), unit_text(series.unit)
    )
    hour_mean = Line(f"{HOUR_MEAN}{limit.pollutant}", t("trend.hour_mean"), unit)
    text = f"{number(limit.limit, limit.unit).removesuffix('.0')} {unit}"
    return Plot(f"limit-{limit.pollutant}", limit.pollutant, text, [measured, hour_mean])
