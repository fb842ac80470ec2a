"""What reading messages costs: sample by sample, as the general decoder does it, and all at once as the intake does."""

import time
from collections.abc import Callable

from edge_agent.wire.command import parse_payload
from edge_agent.wire.data import decode_data
from edge_agent.wire.metric import DataType
from edge_agent.wire.sparkplug_b_pb2 import Payload
from ingest_service.intake.scanning import scan
from tests.bench.fleet_load.furnace import BLOCK_ALIAS, FURNACES_AN_EDGE, channels, tags
from tests.bench.fleet_load.packets import Packets

_EDGES, _ROUNDS = 250, 5


def reading_figures() -> dict[str, object]:
    """Processor time in microseconds a sample, over the same payloads."""
    payloads = data_payloads()
    known: dict[int | str, DataType] = {
        channel.alias or 0: channel.datatype for furnace in range(FURNACES_AN_EDGE) for channel in channels(furnace)
    }
    ways: dict[str, Callable[[], object]] = {
        "naive_loop": lambda: [naive_samples(parse_payload(payload)) for payload in payloads],
        "general_decoder": lambda: [decode_data(parse_payload(payload), known, BLOCK_ALIAS) for payload in payloads],
        "scan": lambda: scan(payloads),
    }
    return {f"read_{name}_us_per_sample": _microseconds(way, len(payloads)) for name, way in ways.items()}


def _microseconds(way: Callable[[], object], payloads: int) -> float:
    began = time.process_time()
    for _ in range(_ROUNDS):
        way()
    return round((time.process_time() - began) / (_ROUNDS * payloads * len(tags())) * 1e6, 3)


def naive_samples(payload: Payload) -> list[tuple[int, int, float]]:
    """Alias, time and value of every metric."""
    found = []
    for metric in payload.metrics:
        field = metric.WhichOneof("value")
        if field is not None and not metric.is_null:
            found.append((metric.alias, metric.timestamp, float(getattr(metric, field))))
    return found


def data_payloads() -> list[bytes]:
    """The payloads of one scan of some edges."""
    packets = Packets(0, _EDGES, seed=1)
    return [payload for edge in range(_EDGES) for payload in packets.payloads(edge)]
