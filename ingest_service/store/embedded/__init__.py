"""The store that needs nothing installed: DuckDB for what is hot, one Parquet file for every hour that is over."""

from ingest_service.store.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
