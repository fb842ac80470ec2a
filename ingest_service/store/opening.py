"""Opens the store that the configuration names."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from ingest_service.config import Storage, StoreKind
from ingest_service.credentials import secret
from ingest_service.errors import ConfigError
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.influx import InfluxEngine
from ingest_service.store.remote.catalogue import Catalogue
from ingest_service.store.remote.connection import Address
from ingest_service.store.remote.engine import Engine as ServerEngine
from ingest_service.store.remote.ledger import Ledger
from ingest_service.store.remote.store import RemoteStore
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.store.victoria import VictoriaEngine
from ingest_service.store.victoria.engine import Nodes

SERIES_FOLDER = "series"  # of the embedded store, beside the relational database
USUAL_URLS = {StoreKind.INFLUXDB: "http://127.0.0.1:8086", StoreKind.VICTORIAMETRICS: "http://127.0.0.1:8428"}


def open_series_store(storage: Storage, database: Engine, file: str, clock: Callable[[], int]) -> TimeSeriesStore:
    """The store of the time series; `file` is the configuration file that errors name, `clock` gives ms.

    Raises StoreError where the embedded store cannot be opened. A server need not be there yet.
    """
    if storage.kind is StoreKind.EMBEDDED:
        return EmbeddedStore(Path(storage.folder) / SERIES_FOLDER)
    catalogue = Catalogue(database)
    engine = open_engine(storage, catalogue, file)
    return RemoteStore(engine, Ledger(database, engine.address), catalogue, clock, is_shared=storage.shared)


def open_engine(storage: Storage, catalogue: Catalogue, file: str) -> ServerEngine:
    """The server's side of a store that is not embedded."""
    if storage.kind is StoreKind.INFLUXDB:
        return InfluxEngine(address_of(storage, file), storage.bucket, catalogue)
    return VictoriaEngine(address_of(storage, file), nodes_of(storage, file), catalogue, storage.hold_s)


def address_of(storage: Storage, file: str) -> Address:
    """Where the server is, with the token from the environment or a file."""
    return Address(
        url=url_of(storage),
        token=secret(storage.token_env, storage.token_file, file, "storage.token"),
        org=storage.org,
        timeout_s=storage.timeout_s,
        ca_file=storage.ca_file,
    )


def nodes_of(storage: Storage, file: str) -> Nodes:
    """Where VictoriaMetrics is read, and what holds samples. Raises ConfigError where a cluster is not described."""
    url = url_of(storage)
    if "/insert/" in url:
        for key, value in (("read_url", storage.read_url), ("metrics", storage.metrics)):
            if not value:
                raise ConfigError(file, f"storage.{key}", "is needed for a cluster, whose url holds /insert/")
    return Nodes(read_url=storage.read_url or url, metrics=storage.metrics or (f"{url}/metrics",))


def url_of(storage: Storage) -> str:
    """The server's address without a slash at its end."""
    return (storage.url or USUAL_URLS[storage.kind]).rstrip("/")
