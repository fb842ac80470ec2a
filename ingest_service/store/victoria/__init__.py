"""VictoriaMetrics as the store, single node or cluster: the same lines, questions in PromQL."""

from ingest_service.store.victoria.engine import VictoriaEngine

__all__ = ["VictoriaEngine"]
