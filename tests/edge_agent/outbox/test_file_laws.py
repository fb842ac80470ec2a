"""Laws of the outbox file: it equals a simple model, and a power loss leaves it between two commits."""

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, OutboxFile
from edge_agent.wire.sample import Sample

NOW_MS = 1_800_000_000_000
Step = tuple[str, int, int]

ranges = st.tuples(st.just("delete"), st.integers(0, 30), st.integers(0, 12))
groups = st.tuples(st.just("append"), st.integers(1, 6), st.integers(1, 40))
steps = st.lists(groups | ranges | st.just(("reopen", 0, 0)), min_size=1, max_size=14)


def apply(file: OutboxFile, model: dict[int, int], step: Step) -> None:
    """One step on the file and on a dict of number -> samples."""
    kind, first, length = step
    if kind == "append":
        numbers = range(file.last_number + 1, file.last_number + 1 + first)
        file.append([Block(n, "d", (Sample(1, NOW_MS + n, float(n)),) * length) for n in numbers], NOW_MS)
        model.update(dict.fromkeys(numbers, length))
    else:
        file.delete([(first, first + length)])
        for number in [n for n in model if first <= n <= first + length]:
            del model[number]


def content(file: OutboxFile) -> dict[int, int]:
    return {found.number: len(found.samples) for found in file.read(0, 2**62, 10_000)}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_the_file_holds_what_was_written_and_not_released_in_order(done: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        limits = OutboxLimits(path=Path(folder) / "outbox.db")
        model: dict[int, int] = {}
        file, highest = OutboxFile.open(limits, NOW_MS), 0
        epoch = file.epoch
        for step in done:
            if step[0] == "reopen":
                file.close()
                file = OutboxFile.open(limits, NOW_MS)
            else:
                apply(file, model, step)
            highest = max([highest, *model])
            assert file.last_number == highest
        with closing(file):
            assert list(content(file).items()) == sorted(model.items())
            assert (file.state().blocks, file.state().samples) == (len(model), sum(model.values()))
            assert file.epoch == epoch


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps.filter(lambda found: found[-1][0] != "reopen"), st.floats(0, 1))
def test_a_power_loss_leaves_the_state_before_or_after_the_last_commit(done: list[Step], where: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        limits = OutboxLimits(path=Path(folder) / "outbox.db")
        model: dict[int, int] = {}
        with closing(OutboxFile.open(limits, NOW_MS)) as file:
            for step in done[:-1]:
                if step[0] != "reopen":
                    apply(file, model, step)
            before, durable = dict(model), wal(limits.path).stat().st_size
            apply(file, model, done[-1])
            size = wal(limits.path).stat().st_size
            survived = power_loss(limits.path, durable + round((size - durable) * where))
        with closing(OutboxFile.open(OutboxLimits(path=survived), NOW_MS)) as after:
            assert content(after) in ([model] if where == 1 else [before, model])
            assert after.last_number >= max(before, default=0)


def wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def power_loss(path: Path, journal_bytes: int) -> Path:
    """A copy of the file whose journal ends where the disk stopped."""
    copy = path.with_name("survived.db")
    shutil.copyfile(path, copy)
    wal(copy).write_bytes(wal(path).read_bytes()[:journal_bytes])
    return copy
