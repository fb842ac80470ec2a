"""kill -9 of a process that writes and releases: what it saw durable and did not release is there, once, in order."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.config import OutboxLimits
from edge_agent.outbox import OutboxFile

CHILD = """
import asyncio, itertools, sys
from pathlib import Path
from edge_agent.config import OutboxLimits
from edge_agent.outbox import open_outbox
from edge_agent.wire.sample import Sample

async def main() -> None:
    async with open_outbox(OutboxLimits(path=Path(sys.argv[1])), lambda: 1) as box, asyncio.TaskGroup() as group:
        def listen(blocks):
            for block in blocks:
                print("durable", block.number, int(block.samples[0].value), flush=True)
        box.listener = listen
        group.create_task(box.run())
        for turn in itertools.count(box.last_number + 1):
            await box.append("furnace-1", [Sample(1, turn, float(turn))])
            if turn % 7 == 0 and box.durable_number > 20:
                ends = (box.durable_number - 15, box.durable_number - 11)
                print("releasing", *ends, flush=True)
                await box.release([ends])
            if turn % 3 == 0:
                await asyncio.sleep(0.001)

asyncio.run(main())
"""


def killed(path: Path, lines: int) -> list[list[str]]:
    """What a child said until it was killed, some lines after its first."""
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        said = [child.stdout.readline().split() for _ in range(lines)]
        child.kill()
        said += [line.split() for line in child.stdout if line.endswith("\n")]
    return said


@pytest.mark.parametrize("seed", [1, 2])
def test_no_kill_loses_reorders_or_repeats_a_block(tmp_path: Path, seed: int) -> None:
    choose, path = random.Random(seed), tmp_path / "outbox.db"
    durable: list[tuple[int, int]] = []
    maybe_released: set[int] = set()
    epochs = set()
    for _ in range(3):
        for word, first, second in killed(path, choose.randrange(80, 900)):
            if word == "durable":
                durable.append((int(first), int(second)))
            else:
                maybe_released.update(range(int(first), int(second) + 1))
        file = OutboxFile.open(OutboxLimits(path=path), 1)
        kept = [(block.number, block.samples[0].value) for block in file.read(0, 2**62, 10**6)]
        epochs.add(file.epoch)
        file.close()
        assert kept == sorted(set(kept))
        assert all(number == value for number, value in kept)
        missing = {number for number, _ in durable} - {number for number, _ in kept}
        assert missing <= maybe_released
    told = [number for number, _ in durable]
    assert told == sorted(set(told))
    assert len(epochs) == 1
