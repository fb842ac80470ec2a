"""Makes and examines what InfluxDB must have: a database or bucket a class of data, each kept for its own time."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from ingest_service.config import FOR_EVER, Retention
from ingest_service.errors import StoreError
from ingest_service.store.findings import Finding, right, unknown, wrong
from ingest_service.store.influx import influxql
from ingest_service.store.influx.buckets import Buckets
from ingest_service.store.influx.dialect import Version, find_version
from ingest_service.store.remote.connection import Connection

POLICY = "kept"
_DAY_S = 86_400
_UNITS_S = {"s": 1, "m": 60, "h": 3_600}


class Wanted(msgspec.Struct, frozen=True):
    """A database and for how many days what is in it is kept (0: for ever)."""

    name: str
    days: int


def wanted_of(bucket: str, retention: Retention) -> tuple[Wanted, ...]:
    """The three databases."""
    return (
        Wanted(bucket, retention.raw_days),
        Wanted(f"{bucket}_minute", retention.minute_days),
        Wanted(f"{bucket}_hour", retention.hour_days),
    )


def prepare(connection: Connection, org: str, wanted: tuple[Wanted, ...]) -> Iterator[str]:
    """Make what is missing and set for how long it is kept; says what was done. Raises StoreError."""
    version = find_version(connection)
    for one in wanted:
        if version is Version.V1:
            yield _prepare_v1(connection, one)
        elif version is Version.V2:
            yield Buckets(connection, org).prepare(one.name, one.days * _DAY_S)
        else:
            connection.send(
                "POST", "/api/v3/configure/database", msgspec.json.encode({"db": one.name}), "application/json"
            )
            yield f"database {one.name}: made; set its retention to {days_text(one.days)} with the server's own command"


def examine(connection: Connection, org: str, wanted: tuple[Wanted, ...]) -> Iterator[Finding]:
    """Whether everything is there and kept for long enough."""
    version = find_version(connection)
    yield right("server", f"{connection.url} is an InfluxDB {version.value}")
    if version is Version.V3:
        yield unknown("databases", "an InfluxDB 3 makes them at the first write and does not tell how long it keeps")
        return
    kept = partial(_kept_v1, connection) if version is Version.V1 else Buckets(connection, org).kept_s
    for one in wanted:
        yield _judged(one, kept)


def days_text(days: int) -> str:
    """A retention in words."""
    return "for ever" if days == FOR_EVER else f"{days} days"


def _judged(wanted: Wanted, kept: Callable[[str], int | None]) -> Finding:
    try:
        seconds = kept(wanted.name)
    except StoreError as error:
        return wrong(wanted.name, f"{error}; run `ingest-service store init`")
    if seconds is None:
        return wrong(wanted.name, "is missing; run `ingest-service store init`")
    if seconds and (wanted.days == FOR_EVER or seconds < wanted.days * _DAY_S):
        text = f"is kept for {seconds // _DAY_S} days, {days_text(wanted.days)} wanted; run `ingest-service store init`"
        return wrong(wanted.name, text)
    return right(wanted.name, f"is kept {days_text(seconds // _DAY_S)}")


def _prepare_v1(connection: Connection, wanted: Wanted) -> str:
    name, policy = influxql.identifier(wanted.name), influxql.identifier(POLICY)
    _ask(connection, f"CREATE DATABASE {name}")
    duration = "INF" if wanted.days == FOR_EVER else f"{wanted.days}d"
    verb = "ALTER" if POLICY in _policies(connection, wanted.name) else "CREATE"
    terms = f"DURATION {duration} REPLICATION 1 SHARD DURATION 7d DEFAULT"
    _ask(connection, f"{verb} RETENTION POLICY {policy} ON {name} {terms}")
    return f"database {wanted.name}: kept {days_text(wanted.days)}"


def _kept_v1(connection: Connection, name: str) -> int | None:
    policies = _policies(connection, name)
    return next((_seconds(str(row["duration"])) for row in policies.values() if row["default"]), None)


def _policies(connection: Connection, name: str) -> Mapping[str, Mapping[str, influxql.Value]]:
    """The retention policies of a database by name."""
    tables = _ask(connection, f"SHOW RETENTION POLICIES ON {influxql.identifier(name)}")
    rows = [dict(zip(table.columns, row, strict=True)) for table in tables for row in table.values]
    return {str(row["name"]): row for row in rows}


def _ask(connection: Connection, statement: str) -> list[influxql.Table]:
    (tables,) = influxql.parse(connection.post_form("/query", [("q", statement)]))
    return tables


def _seconds(duration: str) -> int:
    """A duration as InfluxDB 1 writes it, e.g. 44640h0m0s; 0s is for ever."""
    total, number = 0, ""
    for letter in duration:
        if letter.isdigit():
            number += letter
        else:
            total += int(number or 0) * _UNITS_S[letter]
            number = ""
    return total
