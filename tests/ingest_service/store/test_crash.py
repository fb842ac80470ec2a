import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingest_service.errors import StoreError
from ingest_service.store.embedded import EmbeddedStore
from tests.ingest_service.store.batches import HOUR_MS, START_MS, one_block
from tests.ingest_service.store.writing_child import BLOCK_ROWS, BLOCK_SPAN_MS, block_rows

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("CLEARSTACK_KILLS", "12"))  # 50 take a minute


def start_writer(folder: Path, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ingest_service.store.writing_child", str(folder), str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def killed_after(folder: Path, first: int, blocks: int, more_ms: float) -> int:
    """Let it acknowledge so many blocks and a little more, kill it; return the last block that it acknowledged."""
    with start_writer(folder, first) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(blocks)]
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(more_ms / 1000)
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
    return int([line for line in said if line.endswith("\n")][-1])


@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_block_is_there_once_however_often_the_writer_is_killed(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged = 0
    for _ in range(KILLS // 2):
        acknowledged = killed_after(tmp_path, acknowledged + 1, chance.randint(1, 12), chance.uniform(0, 20))
        store = EmbeddedStore(tmp_path)
        found = store.raw([1, 2], START_MS - 2 * HOUR_MS, START_MS + (acknowledged + 9) * BLOCK_SPAN_MS)
        blocks, counts = np.unique(found.value, return_counts=True)
        assert blocks.tolist() in (
            list(range(1, acknowledged + 1)),
            list(range(1, acknowledged + 2)),  # durable, and killed before it could say so
        )
        assert set(counts.tolist()) == {BLOCK_ROWS}
        assert store.write(one_block(acknowledged, block_rows(acknowledged))).stored == 0
        store.close()
    store = EmbeddedStore(tmp_path)
    written = store.raw([1, 2], START_MS - 2 * HOUR_MS, START_MS + (acknowledged + 9) * BLOCK_SPAN_MS)
    store.seal(START_MS + (acknowledged + 99) * BLOCK_SPAN_MS)
    assert (store.status().hot_rows, store.status().sealed_rows) == (0, len(written))
    store.close()


def test_a_second_process_is_refused_with_one_clear_line(tmp_path: Path) -> None:
    with start_writer(tmp_path, 1) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(StoreError, match=r"^store .*: another process is using it \(samples\.duckdb is locked\)$"):
            EmbeddedStore(tmp_path)
        writer.kill()
    EmbeddedStore(tmp_path).close()
