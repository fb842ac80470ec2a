"""Gap records in the file: they grow until handed out, travel under numbers of their own, and go when known."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, Gap, GapReason, OutboxFile
from edge_agent.outbox.gap_table import LONGEST_MS, QUIET_MS
from edge_agent.wire.gap import FIRST_GAP_BLOCK, NumberedGap
from edge_agent.wire.sample import Sample

NOW_MS = 1_800_000_000_000
OVERRUN = Gap("furnace-1", NOW_MS, NOW_MS + 900, 0, GapReason.OVERRUN)
LATER_MS = NOW_MS + QUIET_MS + 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def file(path: Path) -> Iterator[OutboxFile]:
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as opened:
        yield opened


def note(file: OutboxFile, *gaps: Gap, at_ms: int = NOW_MS) -> None:
    for gap in gaps:
        file.append([], at_ms, [gap])


def numbered(count: int, gap: Gap) -> NumberedGap:
    return NumberedGap(FIRST_GAP_BLOCK + count, gap)


def test_a_gap_is_told_once_it_has_not_grown_for_a_while_and_until_it_is_acknowledged(file: OutboxFile) -> None:
    note(file, OVERRUN)
    assert file.hand_out_gaps(NOW_MS + QUIET_MS) == []
    assert file.hand_out_gaps(LATER_MS) == file.hand_out_gaps(LATER_MS) == [numbered(1, OVERRUN)]
    file.delete([(FIRST_GAP_BLOCK + 1, FIRST_GAP_BLOCK + 1)])
    assert (file.hand_out_gaps(LATER_MS), file.gaps(), file.state().gaps_waiting) == ([], [], 0)
    assert file.state().gaps == 1


def test_a_gap_that_goes_on_is_told_in_parts(file: OutboxFile) -> None:
    for at_ms in range(NOW_MS, NOW_MS + LONGEST_MS + 2_000, 1_000):
        note(file, replace(OVERRUN, from_ms=at_ms, to_ms=at_ms + 900), at_ms=at_ms)
    (record,) = file.hand_out_gaps(NOW_MS + LONGEST_MS + 1_001)
    assert (record.gap.from_ms, record.gap.to_ms) == (NOW_MS, NOW_MS + LONGEST_MS + 1_900)


def test_what_was_handed_out_never_changes_and_what_follows_waits_for_its_acknowledgement(file: OutboxFile) -> None:
    note(file, OVERRUN)
    told = file.hand_out_gaps(LATER_MS)
    more = replace(OVERRUN, from_ms=NOW_MS + 1_000, to_ms=NOW_MS + 1_900)
    note(file, more)
    assert file.hand_out_gaps(LATER_MS) == told
    file.delete([(told[0].number, told[0].number)])
    assert file.hand_out_gaps(LATER_MS) == [numbered(2, more)]


def test_however_long_the_centre_is_away_the_records_stay_few(
    file: OutboxFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.outbox.gap_table.CROWDED", 20)
    ends = [NOW_MS + step * 12_000 for step in range(200)]
    for at_ms in ends:
        note(file, replace(OVERRUN, from_ms=at_ms, to_ms=at_ms + 900), at_ms=at_ms)
        file.hand_out_gaps(at_ms + 2 * QUIET_MS)
    waiting = file.gaps()
    assert len(waiting) == 20
    assert all(any(gap.from_ms <= at_ms <= gap.to_ms for gap in waiting) for at_ms in ends)


def test_numbers_are_never_used_again_and_a_restart_keeps_what_was_handed_out(file: OutboxFile, path: Path) -> None:
    note(file, OVERRUN)
    file.hand_out_gaps(LATER_MS)
    file.delete([(FIRST_GAP_BLOCK, FIRST_GAP_BLOCK + 9)])
    note(file, OVERRUN)
    told = file.hand_out_gaps(LATER_MS)
    file.close()
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as again:
        assert again.hand_out_gaps(LATER_MS) == told == [numbered(2, OVERRUN)]


def test_a_record_that_was_not_handed_out_is_not_forgotten_whatever_is_acknowledged(file: OutboxFile) -> None:
    note(file, OVERRUN)
    file.delete([(0, 2**63 - 1)])
    assert file.gaps() == [OVERRUN]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(OVERRUN, device="furnace-2"), id="another device"),
        pytest.param(replace(OVERRUN, reason=GapReason.DISK_FULL), id="another reason"),
        pytest.param(replace(OVERRUN, channels=("co",)), id="other channels"),
        pytest.param(replace(OVERRUN, epoch=5), id="another outbox"),
        pytest.param(replace(OVERRUN, from_ms=NOW_MS + 99_000, to_ms=NOW_MS + 99_900), id="another time"),
    ],
)
def test_two_gaps_stay_two_with(file: OutboxFile, other: Gap) -> None:
    note(file, OVERRUN, other)
    assert file.gaps() == [OVERRUN, other]


def test_a_clock_that_was_set_back_does_not_keep_gaps_from_being_told(file: OutboxFile) -> None:
    note(file, OVERRUN)
    assert file.hand_out_gaps(NOW_MS - 1) == [numbered(1, OVERRUN)]


def test_acknowledged_blocks_stay_known_with_their_times_across_restarts(file: OutboxFile, path: Path) -> None:
    file.append([Block(n, "furnace-1", (Sample(1, NOW_MS + n, 1.0),)) for n in range(1, 11)], NOW_MS)
    file.delete([(2, 4), (8, 99)])
    file.delete([(5, 5)])
    told = [(one.first, one.last, one.from_ms - NOW_MS, one.to_ms - NOW_MS) for one in file.acknowledged]
    assert told == [(2, 5, 2, 5), (8, 10, 8, 10)]
    file.close()
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as again:
        assert again.acknowledged == file.acknowledged


def test_a_file_of_the_first_format_keeps_its_blocks_and_its_gaps(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript("""
            CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE block (number INTEGER PRIMARY KEY, device TEXT NOT NULL, from_ms INTEGER NOT NULL,
                to_ms INTEGER NOT NULL, count INTEGER NOT NULL, samples BLOB NOT NULL);
            CREATE TABLE gap (number INTEGER PRIMARY KEY, device TEXT NOT NULL, from_ms INTEGER NOT NULL,
                to_ms INTEGER NOT NULL, count INTEGER NOT NULL, reason TEXT NOT NULL);
            CREATE TABLE tag (alias INTEGER PRIMARY KEY, device TEXT NOT NULL, channel TEXT NOT NULL,
                kind TEXT NOT NULL);
            INSERT INTO meta VALUES ('epoch', 77), ('last_number', 4), ('bd_seq', 9);
            INSERT INTO block VALUES (4, 'f', 1, 2, 1, x'91930102cb3ff0000000000000');
            INSERT INTO gap VALUES (1, 'f', 1000, 2000, 6, 'size_limit'), (2, 'g', 5, 6, 1, 'disk_full');
            PRAGMA user_version = 1;
        """)
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        assert (file.epoch, file.last_number, file.bd_seq) == (77, 4, 9)
        assert [block.number for block in file.read(0, 9, 9)] == [4]
        old = [Gap("f", 1000, 2000, 6, GapReason.SIZE_LIMIT), Gap("g", 5, 6, 1, GapReason.DISK_FULL)]
        assert file.gaps() == old
        assert (file.state().gaps, file.state().samples_dropped) == (2, 7)
        assert [record.gap for record in file.hand_out_gaps(NOW_MS)] == old
