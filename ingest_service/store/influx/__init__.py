"""InfluxDB 1, 2 and 3 as the store: lines over influxdb-client, questions in InfluxQL."""

from ingest_service.store.influx.engine import InfluxEngine

__all__ = ["InfluxEngine"]
