"""Makes what a store needs and examines it, for whichever kind the configuration names."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from ingest_service.config import Storage, StoreKind
from ingest_service.errors import StoreError
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.findings import Finding, right, wrong
from ingest_service.store.forecast import Outlook, forecast
from ingest_service.store.influx import setup as influx_setup
from ingest_service.store.opening import SERIES_FOLDER, address_of, nodes_of, open_series_store
from ingest_service.store.remote.connection import Connection
from ingest_service.store.timeseries import StoreStatus
from ingest_service.store.victoria import setup as victoria_setup
from ingest_service.store.victoria.metrics import read_process


def prepare_store(storage: Storage, file: str) -> Iterator[str]:
    """Make what is missing; says what was done. Raises StoreError where it cannot be done."""
    if storage.kind is StoreKind.EMBEDDED:
        folder = Path(storage.folder) / SERIES_FOLDER
        EmbeddedStore(folder).close()
        yield f"embedded store in {folder}"
    elif storage.kind is StoreKind.INFLUXDB:
        wanted = influx_setup.wanted_of(storage.bucket, storage.retention)
        yield from influx_setup.prepare(Connection(address_of(storage, file)), storage.org, wanted)
    else:
        yield f"VictoriaMetrics needs nothing made; start it with the flags in {victoria_setup.SHIPPED}"


def examine_store(storage: Storage, database: Engine, file: str) -> Iterator[Finding]:
    """Whether it is set up as it must be, and what it holds."""
    try:
        yield from _settings(storage, file)
        store = open_series_store(storage, database, file, lambda: 0)
        try:
            if isinstance(store, EmbeddedStore):
                yield from store.examine()
            yield from _contents(store.status(), storage)
        finally:
            store.close()
    except StoreError as error:
        yield wrong("store", str(error))


def _settings(storage: Storage, file: str) -> Iterator[Finding]:
    if storage.kind is StoreKind.INFLUXDB:
        wanted = influx_setup.wanted_of(storage.bucket, storage.retention)
        yield from influx_setup.examine(Connection(address_of(storage, file)), storage.org, wanted)
    elif storage.kind is StoreKind.VICTORIAMETRICS:
        nodes, connection = nodes_of(storage, file), Connection(address_of(storage, file))
        held = [read_process(connection.read(url)) for url in nodes.metrics]
        reading = read_process(connection.read(f"{nodes.read_url.partition('/select/')[0]}/metrics"))
        yield from victoria_setup.examine(held, reading, storage.retention)


def _contents(status: StoreStatus, storage: Storage) -> Iterator[Finding]:
    if status.problem:
        yield wrong("data", status.problem)
    future = forecast(status, storage.retention)
    if future.outlook is Outlook.FULL and future.days_left is not None:
        yield wrong("disk", f"is full in {future.days_left:.0f} days at the growth of the last week")
    elif future.outlook is Outlook.FITS and future.settled_bytes is not None:
        yield right("disk", f"is large enough: the store settles at {future.settled_bytes / 1e9:.1f} GB")
    else:
        yield right("disk", "no forecast yet" if status.growth_bytes_per_day is None else "has space")
