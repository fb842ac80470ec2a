"""InfluxQL and its answers: text out, columns in. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from ingest_service.errors import StoreError
from ingest_service.store.influx.dialect import Version
from ingest_service.store.remote.names import SeriesName, by_edge

Value = int | float | str | bool | None


class Table(msgspec.Struct, frozen=True):
    """One series of an answer; the first column is the time, ms."""

    name: str = ""
    columns: Sequence[str] = ()
    tags: dict[str, str] = {}
    values: Sequence[Sequence[Value]] = ()


class _Result(msgspec.Struct, frozen=True):
    series: Sequence[Table] = ()
    error: str = ""


class _Answer(msgspec.Struct, frozen=True):
    results: Sequence[_Result] = ()
    error: str = ""


def select(measurement: str, names: Iterable[SeriesName], from_ms: int, to_ms: int) -> list[str]:
    """Statements for these series in `[from_ms, to_ms)`: one an edge, a table a device."""
    return _select("{}", measurement, names, from_ms, to_ms)


def count_by_hour(measurement: str, names: Iterable[SeriesName], from_ms: int, to_ms: int) -> list[str]:
    """Statements for how many values there are in each hour; the times are the hours' starts."""
    statements = _select("count({0}) AS {0}", measurement, names, from_ms, to_ms)
    return [f"{statement}, time(1h) fill(none)" for statement in statements]


def select_last(measurement: str, channels: Iterable[str], from_ms: int) -> list[str]:
    """Statements for the newest value of each channel: one a channel, a table a device."""
    return [
        f'SELECT last({identifier(channel)}) FROM "{measurement}" WHERE time >= {from_ms}ms '
        'GROUP BY "home", "edge", "device"'
        for channel in channels
    ]


def probe(database: str, version: Version) -> str:
    """A cheap statement that fails where the database is missing; an InfluxDB 1 lists measurements of nothing."""
    return (
        f"SHOW RETENTION POLICIES ON {identifier(database)}" if version is Version.V1 else "SHOW MEASUREMENTS LIMIT 1"
    )


def span(from_ms: int, to_ms: int) -> str:
    """The condition that a time is in `[from_ms, to_ms)`."""
    return f"time >= {from_ms}ms AND time < {to_ms}ms"


def identifier(name: str) -> str:
    """A name that may hold anything but what `names.fit` takes out."""
    return f'"{name}"'


def literal(text: str) -> str:
    """A string."""
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"


def parse(body: bytes) -> list[list[Table]]:
    """The tables of each statement. Raises StoreError for what is no answer, or one that says why not."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as error:
        raise StoreError(f"the answer is not understood: {error}") from error
    for problem in (answer.error, *(result.error for result in answer.results)):
        if problem:
            raise StoreError(problem)
    return [list(result.series) for result in answer.results]


def _select(form: str, measurement: str, names: Iterable[SeriesName], from_ms: int, to_ms: int) -> list[str]:
    statements = []
    for (home, edge), own in by_edge(names).items():
        fields = ", ".join(form.format(identifier(channel)) for channel in sorted({name.channel for name in own}))
        devices = " OR ".join(f'"device" = {literal(device)}' for device in sorted({name.device for name in own}))
        where = f'"home" = {literal(home)} AND "edge" = {literal(edge)} AND ({devices}) AND {span(from_ms, to_ms)}'
        statements.append(f'SELECT {fields} FROM "{measurement}" WHERE {where} GROUP BY "home", "edge", "device"')
    return statements
