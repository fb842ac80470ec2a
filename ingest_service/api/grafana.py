"""The InfluxDB 1 face of the service, for Grafana's own data source: /query, /ping, /health. It takes no writes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Form, Query, Request, Response

from ingest_service.api.access import PUBLIC, Charts
from ingest_service.api.context import Here
from ingest_service.api.describing import OPEN
from ingest_service.api.grafana_series import NAMES, GrafanaSeries
from ingest_service.errors import StoreError
from ingest_service.influxql.evaluate import Table, evaluate, wanted_fields
from ingest_service.influxql.parser import parse
from ingest_service.influxql.syntax import Select, Show, Statement, Subject
from ingest_service.influxql.tokens import NotUnderstood

VERSION = "1.8-clearstack"  # the line of InfluxDB whose answers these are
MOST_ROWS = 1_000_000
_HEADERS = {"X-Influxdb-Version": VERSION, "X-Influxdb-Build": "clearstack"}

router = APIRouter(tags=["grafana"])


class Epoch(StrEnum):
    """In which unit times are answered; without one they are texts as RFC 3339 has them."""

    NS = "ns"
    U = "u"
    MS = "ms"
    S = "s"
    M = "m"
    H = "h"
    TEXT = ""


_OF_A_MS = {Epoch.NS: 1e6, Epoch.U: 1e3, Epoch.MS: 1, Epoch.S: 1e-3, Epoch.M: 1 / 6e4, Epoch.H: 1 / 36e5}


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to one statement: its tables, or why there is none."""

    statement_id: int
    series: list[Table] = []
    error: str = ""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request, or why there is none."""

    results: list[Result] = []
    error: str = ""


Text = Annotated[str, Query(alias="q", description="InfluxQL: SELECT and SHOW")]
Body = Annotated[str, Form(alias="q")]
Unit = Annotated[Epoch, Form(alias="epoch")]


def series_of(here: Here, sight: Charts, request: Request) -> GrafanaSeries:
    """What the reader finds."""
    return GrafanaSeries(sight, here.store, request.app.state.recent_means, here.derived, here.clock())


Found = Annotated[GrafanaSeries, Depends(series_of)]


@router.get(
    "/ping", summary="That the service answers InfluxQL", status_code=204, dependencies=[PUBLIC], openapi_extra=OPEN
)
@router.head("/ping", status_code=204, include_in_schema=False, dependencies=[PUBLIC])
def ping() -> Response:
    """Nothing, with the version in a header."""
    return Response(status_code=204, headers=_HEADERS)


@router.get(
    "/health",
    summary="That the service answers InfluxQL, as InfluxDB 2 says it",
    dependencies=[PUBLIC],
    openapi_extra=OPEN,
)
def health(here: Here) -> dict[str, str]:
    """A pass; whether the service is well is told by /readyz."""
    return {"name": "clearstack", "message": "ready for queries", "status": "pass", "version": here.version}


@router.get("/query", summary="InfluxQL over samples, means and derived series", response_class=Response)
def query(here: Here, series: Found, q: Text = "", epoch: Epoch = Epoch.TEXT) -> Response:
    """The answer in JSON, as InfluxDB 1 gives it; what is not understood is told with status 400."""
    return _answer(q, epoch, series, here.clock())


@router.post("/query", summary="The same from a form", response_class=Response)
def query_form(
    here: Here, series: Found, q: Text = "", epoch: Epoch = Epoch.TEXT, body: Body = "", unit: Unit = Epoch.TEXT
) -> Response:
    """The answer in JSON, as InfluxDB 1 gives it; what stands in the address counts where the form says nothing."""
    return _answer(body or q, unit or epoch, series, here.clock())


def _answer(text: str, epoch: Epoch, series: GrafanaSeries, now_ms: int) -> Response:
    try:
        results = [_result(at, one, epoch, series, now_ms) for at, one in enumerate(parse(text, now_ms))]
    except NotUnderstood as error:
        return _json(Answer(error=str(error)), 400)
    except StoreError as error:
        return _json(Answer(error=str(error)), 503)
    return _json(Answer(results))


def _result(number: int, statement: Statement, epoch: Epoch, series: GrafanaSeries, now_ms: int) -> Result:
    """An error of one statement leaves the others alone."""
    try:
        if isinstance(statement, Show):
            return Result(number, list(_shown(statement, series)))
        tables = _selected(statement, series, now_ms)
    except NotUnderstood as error:
        return Result(number, error=str(error))
    return Result(number, [_timed(table, epoch) for table in tables])


def _selected(select: Select, series: GrafanaSeries, now_ms: int) -> list[Table]:
    columns = series.columns(select.measurement, wanted_fields(select), select.where, select.span)
    tables = evaluate(select, columns, now_ms)
    if (rows := sum(len(table.values) for table in tables)) > MOST_ROWS:
        raise NotUnderstood(f"{rows} rows; at most {MOST_ROWS} are answered: group by a longer time")
    return tables


def _shown(show: Show, series: GrafanaSeries) -> Iterator[Table]:
    """The tables of a SHOW statement."""
    names = [
        name for name in NAMES if show.measurement in ("", name) and (not show.pattern or show.pattern.search(name))
    ]
    match show.subject:
        case Subject.MEASUREMENTS:
            yield Table("measurements", ["name"], _some(show, [[name] for name in sorted(names)]))
        case Subject.DATABASES:
            yield Table("databases", ["name"], [["clearstack"]])
        case Subject.RETENTION_POLICIES:
            columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
            yield Table("", columns, [["autogen", "0s", "168h0m0s", 1, True]])
        case Subject.FIELD_KEYS:
            for name in names:
                if rows := [list(pair) for pair in sorted(series.fields(name).items())]:
                    yield Table(name, ["fieldKey", "fieldType"], _some(show, rows))
        case Subject.TAG_KEYS:
            for name in names:
                if keys := {key for tags in series.tag_sets(name, show.where) for key, _ in tags}:
                    yield Table(name, ["tagKey"], _some(show, [[key] for key in sorted(keys)]))
        case Subject.TAG_VALUES:
            yield from _tag_values(show, series)


def _tag_values(show: Show, series: GrafanaSeries) -> Iterator[Table]:
    """Of one measurement; without one, those of samples and means, which all have the same."""
    found = {pair for tags in series.tag_sets(show.measurement, show.where) for pair in tags if pair[0] in show.keys}
    if found:
        yield Table(show.measurement or "sample", ["key", "value"], _some(show, [list(pair) for pair in sorted(found)]))


def _some(show: Show, rows: list[list[Any]]) -> list[list[Any]]:
    return rows[: show.limit] if show.limit else rows


def _timed(table: Table, epoch: Epoch) -> Table:
    if epoch is Epoch.MS:
        return table
    return msgspec.structs.replace(table, values=[[_time(row[0], epoch), *row[1:]] for row in table.values])


def _time(at_ms: int, epoch: Epoch) -> int | str:
    if epoch is Epoch.TEXT:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return int(at_ms * _OF_A_MS[epoch])


def _json(answer: Answer, status: int = 200) -> Response:
    body = msgspec.json.encode(answer)
    return Response(body, status, media_type="application/json", headers=_HEADERS)
