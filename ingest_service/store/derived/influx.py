"""Derived series in InfluxDB: with the minute means or the hour means, by how long they are kept."""

from collections.abc import Collection, Sequence

from ingest_service.config import Retention
from ingest_service.store.derived.lines import lines
from ingest_service.store.derived.point import MEASUREMENTS, Admits, DerivedColumn, Kept, Point, Tags, column_of
from ingest_service.store.influx import influxql
from ingest_service.store.influx.dialect import find_version, write_lines
from ingest_service.store.remote.connection import Address, Connection
from ingest_service.store.remote.names import fit

_LINES_AT_ONCE = 20_000


class InfluxDerived:
    """In the databases `<bucket>_minute` and `<bucket>_hour`."""

    def __init__(self, address: Address, bucket: str) -> None:
        self._connection, self._bucket = Connection(address), bucket

    def write(self, points: Sequence[Point]) -> None:
        """Put each in the place of what there is of its measurement, tags and time, field by field."""
        version = find_version(self._connection)
        for kept in Kept:
            own = [point for point in points if MEASUREMENTS[point.measurement] is kept]
            for start in range(0, len(own), _LINES_AT_ONCE):
                part = lines(own[start : start + _LINES_AT_ONCE])
                write_lines(self._connection, version, self._database(kept), part)

    def read(
        self,
        measurement: str,
        admits: Admits,
        from_ms: int,
        to_ms: int,
        fields: Collection[str] | None = None,
        where: Tags = (),
    ) -> list[DerivedColumn]:
        """The columns of these fields (all, where None) in `from_ms <= time < to_ms` whose tags are admitted."""
        conditions = [f"{influxql.identifier(name)} = {influxql.literal(fit(value))}" for name, value in where]
        conditions.append(influxql.span(from_ms, to_ms))
        text = f'SELECT * FROM "{measurement}" WHERE {" AND ".join(conditions)} GROUP BY *'
        form = [("db", self._database(MEASUREMENTS[measurement])), ("epoch", "ms"), ("q", text)]
        tables = [table for found in influxql.parse(self._connection.post_form("/query", form)) for table in found]
        columns = [column for table in tables if admits(_tags(table)) for column in _columns(table)]
        return [column for column in columns if fields is None or column.field in fields]

    def retire(self, retention: Retention, now_ms: int) -> None:
        """The server does it: its databases say for how long."""

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def _database(self, kept: Kept) -> str:
        return f"{self._bucket}_{kept.value}"


def _tags(table: influxql.Table) -> dict[str, str]:
    return {name: value for name, value in table.tags.items() if value}


def _columns(table: influxql.Table) -> list[DerivedColumn]:
    tags, found = tuple(sorted(_tags(table).items())), []
    for at, field in enumerate(table.columns[1:], 1):
        rows = [(int(row[0] or 0), row[at]) for row in table.values if row[at] is not None]
        if rows:
            times, values = zip(*rows, strict=True)
            found.append(column_of(tags, field, times, values))
    return found
