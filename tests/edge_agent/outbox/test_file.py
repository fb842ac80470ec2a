import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.config import OutboxLimits
from edge_agent.errors import OutboxError
from edge_agent.outbox import Block, Gap, GapReason, OutboxFile, Released, read_state
from edge_agent.outbox.schema import connect
from edge_agent.wire.sample import Reason, Sample
from tests.support.small_disk import needs_root, small_disk

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def block(number: int, at_ms: int = NOW_MS, device: str = "furnace-1", samples: int = 2) -> Block:
    return Block(number, device, tuple(Sample(alias, at_ms, number + alias / 8) for alias in range(samples)))


@pytest.fixture
def limits(tmp_path: Path) -> OutboxLimits:
    return OutboxLimits(path=tmp_path / "outbox.db")


@pytest.fixture
def file(limits: OutboxLimits) -> Iterator[OutboxFile]:
    with closing(OutboxFile.open(limits, NOW_MS)) as opened:
        yield opened


def numbers(file: OutboxFile) -> list[int]:
    return [found.number for found in file.read(0, 2**62, 1000)]


def test_blocks_come_back_as_they_were_written_in_order(file: OutboxFile) -> None:
    bad = Sample(3, NOW_MS, None, Reason.WIRE_BREAK)
    text = Sample(4, NOW_MS, "门开")
    blocks = [block(1), Block(2, "", (bad, text)), block(3)]
    file.append(blocks, NOW_MS)
    assert file.read(0, 10, 10) == blocks


def test_reading_starts_after_a_number_ends_at_one_stops_at_the_limit_and_skips(file: OutboxFile) -> None:
    file.append([block(number) for number in range(1, 11)], NOW_MS)
    assert [found.number for found in file.read(2, 8, 3, {3, 5})] == [4, 6, 7]


def test_acknowledged_ranges_go_and_are_counted(file: OutboxFile) -> None:
    file.append([block(number) for number in range(1, 11)], NOW_MS)
    assert file.delete([(1, 3), (5, 5), (9, 40)]) == Released(blocks=6, samples=12)
    assert numbers(file) == [4, 6, 7, 8]
    assert file.state().blocks == 4


def test_a_number_is_not_used_again_after_everything_was_deleted(file: OutboxFile, limits: OutboxLimits) -> None:
    file.append([block(1), block(2)], NOW_MS)
    file.delete([(1, 2)])
    file.close()
    with closing(OutboxFile.open(limits, NOW_MS)) as again:
        assert (again.last_number, again.epoch) == (2, file.epoch)


def test_writing_a_group_twice_keeps_it_once(file: OutboxFile) -> None:
    file.append([block(1), block(2)], NOW_MS)
    file.append([block(1), block(2), block(3)], NOW_MS)
    assert numbers(file) == [1, 2, 3]
    assert file.state().samples == 6


def test_beyond_its_size_the_oldest_go_and_leave_a_gap(tmp_path: Path) -> None:
    limits = OutboxLimits(path=tmp_path / "outbox.db", max_mb=1)
    with closing(OutboxFile.open(limits, NOW_MS)) as file:
        for number in range(1, 101):
            file.append([block(number, NOW_MS + number, samples=1000)], NOW_MS + number)
        kept, state = numbers(file), file.state()
        assert state.bytes <= 2**20
        assert kept == list(range(kept[0], 101))
        last, samples = kept[0] - 1, (kept[0] - 1) * 1000
        assert file.gaps() == [
            Gap("furnace-1", NOW_MS + 1, NOW_MS + last, samples, GapReason.SIZE_LIMIT, (), file.epoch, 1, last)
        ]
        assert state.samples + state.samples_dropped == 100_000


def test_beyond_their_age_blocks_go_and_leave_one_gap_a_device(tmp_path: Path) -> None:
    limits = OutboxLimits(path=tmp_path / "outbox.db", max_age_days=1)
    with closing(OutboxFile.open(limits, NOW_MS)) as file:
        old = [block(1, NOW_MS), block(2, NOW_MS + 1000, "furnace-2"), block(3, NOW_MS + 1000)]
        file.append(old, NOW_MS + 2000)
        file.append([block(4, NOW_MS + DAY_MS + 2000)], NOW_MS + DAY_MS + 2000)
        assert numbers(file) == [4]
        assert file.gaps() == [
            Gap("furnace-1", NOW_MS, NOW_MS + 1000, 4, GapReason.AGE_LIMIT, (), file.epoch, 1, 3),
            Gap("furnace-2", NOW_MS + 1000, NOW_MS + 1000, 2, GapReason.AGE_LIMIT, (), file.epoch, 2, 2),
        ]


def test_a_clock_that_is_not_to_be_trusted_makes_nothing_too_old(file: OutboxFile) -> None:
    file.append([block(1, NOW_MS)], NOW_MS)
    ten_years_on_ms = NOW_MS + 3653 * DAY_MS
    file.append([block(2, ten_years_on_ms)], ten_years_on_ms, trusted_ms=0)
    assert numbers(file) == [1, 2]
    file.append([block(3, ten_years_on_ms)], ten_years_on_ms, trusted_ms=ten_years_on_ms)
    assert numbers(file) == [2, 3]


def test_losses_far_apart_are_two_gaps(file: OutboxFile) -> None:
    first = Gap("furnace-1", NOW_MS, NOW_MS + 5, 1, GapReason.DISK_FULL)
    later = Gap("furnace-1", NOW_MS + DAY_MS, NOW_MS + DAY_MS, 1, GapReason.DISK_FULL)
    file.append([], NOW_MS, [first])
    file.append([], NOW_MS, [later])
    assert file.gaps() == [first, later]


def test_the_bd_seq_kept_last_is_known_after_a_restart(file: OutboxFile, limits: OutboxLimits) -> None:
    assert file.bd_seq == -1
    file.keep_bd_seq(254)
    file.keep_bd_seq(255)
    file.close()
    with closing(OutboxFile.open(limits, NOW_MS)) as again:
        assert again.bd_seq == 255


@pytest.mark.parametrize("damage", ["not a database", "a page torn"])
def test_a_damaged_file_is_set_aside_and_a_new_epoch_begins(limits: OutboxLimits, damage: str) -> None:
    with closing(OutboxFile.open(limits, NOW_MS)) as file:
        file.append([block(number, samples=200) for number in range(1, 50)], NOW_MS)
        epoch = file.epoch
    content = bytearray(limits.path.read_bytes())
    start, length = (0, 4096) if damage == "not a database" else (4096, len(content) - 4096)
    content[start : start + length] = b"\xa5" * length
    limits.path.write_bytes(content)
    with closing(OutboxFile.open(limits, NOW_MS + 7)) as fresh:
        assert fresh.epoch != epoch
        assert numbers(fresh) == []
        assert [gap.reason for gap in fresh.gaps()] == [GapReason.CORRUPT_FILE]
    assert limits.path.with_name(f"outbox.db.damaged-{NOW_MS + 7}").read_bytes() == content


def test_a_block_whose_samples_are_damaged_becomes_a_gap_and_the_others_stay(
    file: OutboxFile, limits: OutboxLimits
) -> None:
    file.append([block(1), block(2), block(3)], NOW_MS)
    with closing(sqlite3.connect(limits.path)) as database, database:
        database.execute("UPDATE block SET samples = x'c1ff' WHERE number = 2")
    assert numbers(file) == [1, 3]
    assert numbers(file) == [1, 3]
    assert file.gaps() == [Gap("furnace-1", NOW_MS, NOW_MS, 2, GapReason.CORRUPT_FILE, (), file.epoch, 2, 2)]


def test_a_full_disk_refuses_and_keeps_what_was_there(limits: OutboxLimits) -> None:
    database = connect(limits.path)
    with closing(OutboxFile(limits.path, database, limits)) as file:
        file.append([block(1)], NOW_MS)
        database.execute("PRAGMA max_page_count = 8")
        with pytest.raises(OutboxError, match="full"):
            file.append([block(2, samples=5000)], NOW_MS)
        assert numbers(file) == [1]
        database.execute("PRAGMA max_page_count = 100000")
        file.append([block(2, samples=5000)], NOW_MS)
        assert numbers(file) == [1, 2]


@needs_root
def test_on_a_disk_without_a_byte_left_the_file_opens_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=32) as disk:
        limits = OutboxLimits(path=disk.path / "outbox.db")
        with closing(OutboxFile.open(limits, NOW_MS)) as file:
            file.append([block(1)], NOW_MS)
        disk.fill_up()
        with closing(OutboxFile.open(limits, NOW_MS)) as again:
            with pytest.raises(OutboxError, match="left on the disk"):
                again.append([block(2)], NOW_MS)
            assert numbers(again) == [1]
            disk.free()
            again.append([block(2)], NOW_MS)
            assert numbers(again) == [1, 2]


def test_on_a_disk_with_nothing_but_the_reserve_blocks_are_refused_until_released_ones_make_room(
    file: OutboxFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.append([block(number, samples=5000) for number in range(1, 31)], NOW_MS)
    monkeypatch.setattr("edge_agent.outbox.schema.RESERVE_BYTES", 2**62)
    with pytest.raises(OutboxError, match="left on the disk"):
        file.append([block(31)], NOW_MS)
    assert numbers(file) == list(range(1, 31))
    file.delete([(1, 20)])
    file.append([block(31)], NOW_MS)
    assert numbers(file) == list(range(21, 32))


def test_a_file_of_a_newer_release_is_refused_untouched(limits: OutboxLimits) -> None:
    with closing(sqlite3.connect(limits.path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(OutboxError, match="newer release"):
        OutboxFile.open(limits, NOW_MS)
    assert limits.path.exists()


def test_a_missing_folder_is_an_outbox_error(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match=r"the folder .* does not exist"):
        OutboxFile.open(OutboxLimits(path=tmp_path / "nowhere" / "outbox.db"), NOW_MS)


def test_the_state_can_be_read_while_the_file_is_in_use(file: OutboxFile, limits: OutboxLimits) -> None:
    file.append([block(1), block(2, NOW_MS + 1)], NOW_MS)
    state = read_state(limits.path)
    assert state == file.state()
    assert (state.epoch, state.blocks, state.samples, state.oldest_ms) == (file.epoch, 2, 4, NOW_MS)


def test_the_state_of_no_file_is_an_outbox_error(tmp_path: Path) -> None:
    with pytest.raises(OutboxError):
        read_state(tmp_path / "outbox.db")
