"""The benchmarks are described, and the load of the fleet benchmark says what a real edge would say."""

from pathlib import Path

import numpy as np
import pytest

from edge_agent.wire.command import parse_payload
from edge_agent.wire.data import decode_data
from edge_agent.wire.metric import DataType
from ingest_service.intake.scanning import scan
from tests.bench.__main__ import names
from tests.bench.fleet_load.furnace import BLOCK_ALIAS, COUNTER_FROM, FURNACES_AN_EDGE, channels
from tests.bench.fleet_load.packets import Packets
from tests.bench.fleet_load.picture import COLUMNS, QUESTIONS, drawn, newest_runs, table

README = Path(__file__).parent / "bench/README.md"
ROOT = Path(__file__).parents[1]
AT_MS = 1_764_000_555_123


def test_every_benchmark_is_described_and_what_is_described_exists() -> None:
    described = [
        line.split("`")[1] for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert sorted(described) == names()


@pytest.mark.parametrize("seq", [3, 254])
def test_a_patched_packet_is_what_the_real_encoder_makes_of_the_same_samples(seq: int) -> None:
    packets = Packets(first_edge=7, edges=3, seed=1)
    packets.patch(slice(0, 3), 412, AT_MS, np.full(3, seq), np.array([COUNTER_FROM, COUNTER_FROM + 8, COUNTER_FROM]))
    for furnace, payload in enumerate(packets.payloads(1)):
        types: dict[int | str, DataType] = {channel.alias or 0: channel.datatype for channel in channels(furnace)}
        found = decode_data(parse_payload(payload), types, BLOCK_ALIAS)
        expected = packets.samples(1, furnace, 412, AT_MS)
        assert (found.sent_at_ms, found.seq, found.block) == (AT_MS, (seq + furnace) % 256, COUNTER_FROM + 8 + furnace)
        assert found.columns.keys == [sample.alias for sample in expected]
        assert found.columns.measured_at_ms == [AT_MS] * len(expected)
        np.testing.assert_allclose(found.columns.values, [float(sample.value or 0.0) for sample in expected], rtol=1e-6)
    assert len(packets.payloads(1)) == FURNACES_AN_EDGE
    assert scan(packets.payloads(1)).plain.all()


def test_tables_and_picture_of_the_readme_are_those_of_the_results() -> None:
    runs = newest_runs(README.parent / "results/fleet.jsonl")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert table(runs, COLUMNS) in readme
    assert table(runs, QUESTIONS) in readme
    assert drawn(runs) == (ROOT / "deploy/pictures/fleet.svg").read_text(encoding="utf-8")
    assert drawn(runs).count("<circle") == len(runs) >= 3
