import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, Gap, GapReason, Outbox, OutboxFile, Released, open_outbox, outbox, waiting
from edge_agent.wire.command import Acknowledgement
from edge_agent.wire.sample import Sample
from tests.edge_agent.outbox.disk import damage, refusing
from tests.support.waiting import until

NOW_MS = 1_800_000_000_000


def run(path: Path, story: Callable[[Outbox], Awaitable[None]]) -> None:
    """Run a story with an outbox whose writer is at work."""

    async def scene() -> None:
        async with open_outbox(OutboxLimits(path=path), lambda: NOW_MS) as opened, asyncio.TaskGroup() as group:
            writer = group.create_task(opened.run(), name="outbox")
            await story(opened)
            writer.cancel()

    asyncio.run(scene())


async def append(box: Outbox, count: int, at_ms: int = NOW_MS) -> None:
    for number in range(count):
        await box.append("furnace-1", [Sample(1, at_ms + number, float(number))])


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another program holds is not waited for long."""
    monkeypatch.setattr("edge_agent.outbox.schema.BUSY_TIMEOUT_S", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def test_the_listener_hears_of_a_block_only_when_another_reader_of_the_file_sees_it(path: Path) -> None:
    async def story(box: Outbox) -> None:
        seen: list[tuple[int, int]] = []

        def listen(blocks: Sequence[Block]) -> None:
            reader = OutboxFile.open(OutboxLimits(path=path), NOW_MS)
            seen.extend((block.number, len(reader.read(block.number - 1, block.number, 1))) for block in blocks)
            reader.close()

        box.listener = listen
        await append(box, 5)
        assert (box.last_number, box.durable_number) == (5, 0)
        await until(lambda: box.durable_number == 5)
        assert seen == [(number, 1) for number in range(1, 6)]

    run(path, story)


def test_a_full_group_does_not_wait_for_the_interval(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "COMMIT_S", 3600)

    async def story(box: Outbox) -> None:
        await append(box, outbox.COMMIT_BLOCKS)
        await until(lambda: box.durable_number == outbox.COMMIT_BLOCKS)

    run(path, story)


def test_what_still_waits_at_the_end_is_written(path: Path) -> None:
    run(path, lambda box: append(box, 3))

    async def story(box: Outbox) -> None:
        assert [block.number for block in await box.backlog(0, 10, 10, set())] == [1, 2, 3]

    run(path, story)


def test_the_samples_of_a_block_are_in_order_of_time(path: Path) -> None:
    async def story(box: Outbox) -> None:
        await box.append("furnace-1", [Sample(1, NOW_MS + 9, 1.0), Sample(2, NOW_MS + 3, 2.0)])
        assert await box.flush()
        (block,) = await box.backlog(0, 1, 1, set())
        assert [sample.measured_at_ms - NOW_MS for sample in block.samples] == [3, 9]
        assert (block.from_ms - NOW_MS, block.to_ms - NOW_MS) == (3, 9)

    run(path, story)


@pytest.mark.parametrize(
    ("epoch_shift", "ranges", "released"),
    [
        pytest.param(0, ((1, 2),), Released(2, 2), id="its own epoch"),
        pytest.param(1, ((1, 2),), Released(), id="another epoch"),
        pytest.param(0, ((1, 4),), Released(), id="more than was written"),
        pytest.param(0, ((0, 2**64 - 1),), Released(), id="everything there could be"),
        pytest.param(0, (), Released(), id="nothing"),
    ],
)
def test_an_acknowledgement_of(
    path: Path, epoch_shift: int, ranges: tuple[tuple[int, int], ...], released: Released
) -> None:
    async def story(box: Outbox) -> None:
        await append(box, 3)
        await box.flush()
        acknowledgement = Acknowledgement(box.epoch + epoch_shift, ranges)
        if box.accepts(acknowledgement):
            assert await box.release(acknowledgement.ranges) == released
        assert box.state.blocks == 3 - released.blocks
        assert box.refused_acknowledgements == (1 if ranges and not released.blocks else 0)

    run(path, story)


def test_while_the_disk_refuses_blocks_wait_and_then_all_are_written(path: Path) -> None:
    async def story(box: Outbox) -> None:
        await append(box, 2)
        await box.flush()
        with refusing(path):
            await append(box, 3)
            await until(lambda: box.write_errors > 0)
            assert (box.durable_number, box.blocks_waiting) == (2, 3)
        await until(lambda: box.durable_number == 5)
        assert [block.number for block in await box.backlog(0, 10, 10, set())] == [1, 2, 3, 4, 5]
        assert box.state.gaps == 0

    run(path, story)


def test_what_memory_cannot_hold_while_the_disk_refuses_becomes_one_recorded_gap(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_BLOCKS", 10)

    async def story(box: Outbox) -> None:
        await box.flush()
        with refusing(path):
            await append(box, 14)
            await until(lambda: box.write_errors > 0)
            await append(box, 1, NOW_MS + 200)
            assert box.blocks_waiting == 10
        await until(lambda: box.durable_number == 15)
        (gap,) = await box.gaps()
        assert (gap.device, gap.from_ms, gap.to_ms) == ("furnace-1", NOW_MS, NOW_MS + 4)
        assert (gap.samples, gap.reason) == (5, GapReason.DISK_FULL)
        assert box.state.samples == 10

    run(path, story)


def test_what_the_disk_still_refuses_at_the_end_becomes_a_recorded_gap(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(box: Outbox) -> None:
        monkeypatch.setattr("edge_agent.outbox.schema.RESERVE_BYTES", 2**62)
        await append(box, 7)
        await until(lambda: box.write_errors > 0)

    run(path, story)
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        assert file.gaps() == [Gap("furnace-1", NOW_MS, NOW_MS + 6, 7, GapReason.DISK_FULL, (), file.epoch, 1, 7)]
        assert file.state().blocks == 0


def test_a_file_damaged_while_it_runs_is_replaced_and_nothing_that_waits_is_lost(path: Path) -> None:
    async def story(box: Outbox) -> None:
        await append(box, 200)
        await box.flush()
        epoch = box.epoch
        damage(path, 40_000)
        await append(box, 3)
        await until(lambda: box.durable_number == 203)
        assert box.epoch != epoch
        assert [block.number for block in await box.backlog(0, 300, 300, set())] == [201, 202, 203]
        assert [gap.reason for gap in await box.gaps()] == [GapReason.CORRUPT_FILE]

    run(path, story)


def test_connections_while_the_disk_refuses_share_their_bd_seq_with_none_that_the_next_run_counts(path: Path) -> None:
    used: list[int] = []
    until_it_has_ended = ExitStack()

    async def refused(box: Outbox) -> None:
        used.append(await box.next_bd_seq())
        until_it_has_ended.enter_context(refusing(path))
        used.extend([await box.next_bd_seq() for _ in range(3)])

    async def following(box: Outbox) -> None:
        used.append(await box.next_bd_seq())

    with until_it_has_ended:
        run(path, refused)
    run(path, following)
    first, apart, second, third, next_run = used
    assert (first, next_run) == (0, 1)
    assert (second, third) == ((apart + 1) % 256, (apart + 2) % 256)
    assert apart not in (0, 1)


def test_once_the_disk_takes_it_again_bd_seq_goes_on_from_where_it_is(path: Path) -> None:
    used: list[int] = []

    async def story(box: Outbox) -> None:
        with refusing(path):
            used.append(await box.next_bd_seq())
        used.append(await box.next_bd_seq())

    async def following(box: Outbox) -> None:
        used.append(await box.next_bd_seq())

    run(path, story)
    run(path, following)
    assert used == [used[0], (used[0] + 1) % 256, (used[0] + 2) % 256]


def test_appending_does_not_wait_for_the_disk(path: Path) -> None:
    async def story(box: Outbox) -> None:
        await box.flush()
        with refusing(path):
            await append(box, 1000)
            assert (box.last_number, box.durable_number) == (1000, 0)
        await until(lambda: box.durable_number == 1000)

    run(path, story)
