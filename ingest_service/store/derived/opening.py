"""Opens the derived series of the store that the configuration names."""

from pathlib import Path

from ingest_service.config import Storage, StoreKind
from ingest_service.store.derived.embedded import EmbeddedDerived
from ingest_service.store.derived.influx import InfluxDerived
from ingest_service.store.derived.point import DerivedStore
from ingest_service.store.derived.victoria import VictoriaDerived
from ingest_service.store.opening import SERIES_FOLDER, address_of, nodes_of


def open_derived_store(storage: Storage, file: str) -> DerivedStore:
    """Beside the samples; `file` is the configuration file that errors name. A server need not be there yet."""
    if storage.kind is StoreKind.EMBEDDED:
        return EmbeddedDerived(Path(storage.folder) / SERIES_FOLDER)
    if storage.kind is StoreKind.INFLUXDB:
        return InfluxDerived(address_of(storage, file), storage.bucket)
    return VictoriaDerived(address_of(storage, file), nodes_of(storage, file).read_url)
