"""What reading a message costs the plain way, sample by sample: the comparison of the fleet benchmark."""

import time

from edge_agent.wire.command import parse_payload
from edge_agent.wire.sparkplug_b_pb2 import Payload
from tests.bench.fleet_load.packets import Packets

_EDGES, _ROUNDS = 50, 20


def naive_figures() -> dict[str, object]:
    """ns a sample of a loop over the metrics of a parsed payload."""
    payloads = data_payloads()
    started = time.process_time()
    samples = sum(len(naive_samples(parse_payload(payload))) for _ in range(_ROUNDS) for payload in payloads)
    return {"naive_decode_us_per_sample": round((time.process_time() - started) / samples * 1e6, 3)}


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
