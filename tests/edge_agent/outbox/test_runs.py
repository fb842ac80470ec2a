"""Between two runs nobody reads: the file tells from when to when, and whether people wanted it so."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, Gap, GapReason, OutboxFile, TagName, ValueKind, open_outbox
from edge_agent.wire.sample import Sample

NOW_MS = 1_800_000_000_000


def block(number: int, at_ms: int, device: str = "furnace-1") -> Block:
    return Block(number, device, (Sample(1, NOW_MS + at_ms, 1.0),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def run(path: Path, *blocks: Block, read_until_ms: int | None = None) -> list[Gap]:
    """One run of an agent that writes these blocks, killed unless it says until when it has read; the gaps then."""
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.begin_run(min((one.from_ms for one in blocks), default=NOW_MS))
        for one in blocks:
            file.append([replace(one, number=file.last_number + 1)], NOW_MS)
        if read_until_ms is not None:
            file.end_run(NOW_MS + read_until_ms)
        return file.gaps()


def gap(from_ms: int, to_ms: int, reason: GapReason, device: str = "furnace-1") -> Gap:
    return Gap(device, NOW_MS + from_ms, NOW_MS + to_ms, 0, reason)


def test_the_first_run_has_no_gap_before_it(path: Path) -> None:
    assert run(path, block(1, 0), block(2, 1_000)) == []


def test_after_a_kill_each_device_misses_what_lies_between_its_last_and_its_first_sample(path: Path) -> None:
    run(path, block(1, 0), block(2, 700, "furnace-2"), block(3, 1_000))
    assert run(path, block(4, 9_000, "furnace-2"), block(5, 9_500), block(6, 10_500)) == [
        gap(701, 8_999, GapReason.UNCLEAN_STOP, "furnace-2"),
        gap(1_001, 9_499, GapReason.UNCLEAN_STOP),
    ]


def test_after_a_clean_stop_the_gap_begins_where_reading_ended(path: Path) -> None:
    run(path, block(1, 0), read_until_ms=2_500)
    assert run(path, block(2, 9_000)) == [gap(2_501, 8_999, GapReason.AGENT_STOPPED)]


@pytest.mark.parametrize(("first_ms", "told"), [(1_100, False), (1_102, True)])
def test_a_pause_that_is_no_longer_than_between_two_polls_is_no_gap(path: Path, first_ms: int, told: bool) -> None:
    run(path, block(1, 0))
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.begin_run(NOW_MS + 99_000)
        file.expect({"furnace-1": 1_000})
        file.append([block(file.last_number + 1, first_ms)], NOW_MS)
        assert bool(file.gaps()) is told


def test_a_run_that_writes_nothing_leaves_the_gap_to_the_next(path: Path) -> None:
    run(path, block(1, 0))
    assert run(path) == run(path) == []
    assert run(path, block(2, 9_000)) == [gap(1, 8_999, GapReason.UNCLEAN_STOP)]


def test_the_gap_is_told_once_a_run(path: Path) -> None:
    run(path, block(1, 0))
    first = run(path, block(2, 9_000), block(3, 9_900))
    assert run(path, block(4, 99_000)) == [*first, gap(9_901, 98_999, GapReason.UNCLEAN_STOP)]


def test_a_refused_write_does_not_use_up_the_gap(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(path, block(1, 0))
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.begin_run(NOW_MS + 99_000)
        with monkeypatch.context() as patched:
            patched.setattr("edge_agent.outbox.schema.RESERVE_BYTES", 2**62)
            with pytest.raises(Exception, match="left on the disk"):
                file.append([block(file.last_number + 1, 5_000)], NOW_MS)
        file.append([block(file.last_number + 1, 5_000)], NOW_MS)
        assert file.gaps() == [gap(1, 4_999, GapReason.UNCLEAN_STOP)]


def test_a_device_that_the_site_file_left_out_in_between_was_missing_on_purpose(path: Path) -> None:
    run(path, block(1, 0))
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.use_tags({1: TagName("furnace-2", "co", ValueKind.NUMBER)})
    assert run(path, block(2, 9_000)) == []


def test_the_node_itself_makes_no_gap(path: Path) -> None:
    run(path, block(1, 5_000, ""))
    assert run(path, block(2, 9_000, "")) == []


@pytest.mark.parametrize(("first_ms", "to_ms"), [(1_000, 5_001), (5_001, 5_001), (5_400, 5_399)])
def test_where_the_clock_was_set_back_meanwhile_the_pause_is_told_however_short_it_looks(
    path: Path, first_ms: int, to_ms: int
) -> None:
    run(path, block(1, 5_000))
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.begin_run(NOW_MS + 1_000)
        file.expect({"furnace-1": 1_000})
        file.append([block(file.last_number + 1, first_ms)], NOW_MS)
        assert file.gaps() == [gap(5_001, to_ms, GapReason.UNCLEAN_STOP)]


@pytest.mark.parametrize("damage", ["blocks waited and can be read", "nothing can be read"])
def test_with_a_damaged_file_goes_what_waited_in_it_and_the_time_until_the_first_sample(
    path: Path, damage: str
) -> None:
    run(path, block(1, 0), block(2, 1_000))
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        epoch = file.epoch
    if damage == "nothing can be read":
        path.write_bytes(b"\xa5" * 9_000)
        lost = [Gap("", 0, NOW_MS + 4_000, 0, GapReason.CORRUPT_FILE), gap(4_000, 8_999, GapReason.UNCLEAN_STOP)]
    else:
        waited = Gap("furnace-1", NOW_MS, NOW_MS + 1_000, 2, GapReason.CORRUPT_FILE, (), epoch, 1, 2)
        lost = [waited, gap(1_001, 8_999, GapReason.UNCLEAN_STOP)]
    with closing(OutboxFile.replace(OutboxLimits(path=path), NOW_MS + 4_000)) as fresh:
        fresh.begin_run(NOW_MS + 99_000)
        fresh.append([block(fresh.last_number + 1, 9_000)], NOW_MS)
        assert fresh.epoch != epoch
        assert fresh.gaps() == lost


def test_gaps_that_were_still_to_be_told_survive_a_damaged_file(path: Path) -> None:
    run(path, block(1, 0), read_until_ms=0)
    stopped = run(path, block(2, 9_000))
    with closing(OutboxFile.replace(OutboxLimits(path=path), NOW_MS)) as fresh:
        assert fresh.gaps()[: len(stopped)] == stopped


def test_a_disk_that_forgot_what_it_said_to_have_written_does_not_lead_to_numbers_that_were_used(path: Path) -> None:
    run(path, block(1, 0), block(2, 1_000))
    forgetful = path.read_bytes()
    run(path, *(block(number, number * 1_000) for number in range(3, 60)))
    path.write_bytes(forgetful)
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.begin_run(NOW_MS + 99_000)
        assert file.last_number >= 60
        file.append([block(file.last_number + 1, 99_000)], NOW_MS)
        used = [found.number for found in file.read(0, 2**62, 9)]
        assert used[:2] == [1, 2]
        assert used[2] > 60


def test_after_a_clean_stop_numbers_go_on_without_a_hole(path: Path) -> None:
    run(path, block(1, 0), read_until_ms=0)
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.begin_run(NOW_MS + 99_000)
        assert file.last_number == 1


def test_an_agent_that_ends_says_until_when_it_has_read(path: Path) -> None:
    now_ms = NOW_MS

    async def one_run() -> list[Gap]:
        async with open_outbox(OutboxLimits(path=path), lambda: now_ms) as box:
            await box.append("furnace-1", [Sample(1, now_ms, 1.0)])
            await box.flush()
            return await box.gaps()

    asyncio.run(one_run())
    now_ms += 60_000
    assert asyncio.run(one_run()) == [gap(1, 59_999, GapReason.AGENT_STOPPED)]


def test_the_next_run_is_told_how_far_samples_of_the_one_before_reach(path: Path) -> None:
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        assert file.newest_before_ms == 0
        file.append([block(1, 50), block(2, 70, "furnace-2")], NOW_MS)
        file.delete([(1, 2)])
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        assert file.newest_before_ms == NOW_MS + 70
