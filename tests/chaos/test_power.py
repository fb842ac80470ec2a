"""The cut must be one that a disk may leave: never behind what was certain, and sometimes behind what was not."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, OutboxFile
from edge_agent.wire.sample import Sample
from tests.chaos.power import commit_ends, cut_power, written

NOW_MS = 1_764_000_000_000
COMMITS = 12


def block(number: int) -> Block:
    return Block(number, "furnace-1", tuple(Sample(alias, NOW_MS + number, 1.5) for alias in range(20)))


@pytest.fixture
def dead(tmp_path: Path) -> Iterator[Path]:
    """The files of an agent that died after twelve commits of one block each."""
    path = tmp_path / "live" / "outbox"
    path.parent.mkdir()
    file = OutboxFile.open(OutboxLimits(path=path), NOW_MS)
    for number in range(1, COMMITS + 1):
        file.append([block(number)], NOW_MS)
    shutil.copytree(path.parent, tmp_path / "dead")
    yield tmp_path / "dead" / "outbox"
    file.close()


def numbers_left(path: Path) -> list[int]:
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        return [block.number for block in file.read(0, 1000, 1000)]


def test_each_commit_ends_where_sqlite_says_that_it_ends(dead: Path) -> None:
    ends = commit_ends(dead.with_name("outbox-wal"))
    assert ends[-1] == dead.with_name("outbox-wal").stat().st_size
    assert [written(dead, end).last_number for end in ends[-COMMITS:]] == list(range(1, COMMITS + 1))


@pytest.mark.parametrize("seed", range(25))
def test_what_was_told_survives_and_what_was_not_may_be_lost_but_nothing_before_it(dead: Path, seed: int) -> None:
    told = seed % 2 == 0
    cut = cut_power(dead, lambda _epoch, number: told and number == COMMITS, Random(seed))
    left = numbers_left(dead)
    assert left == list(range(1, COMMITS + 1 - cut.undone))
    assert not (told and cut.undone)


def test_a_bd_seq_is_never_undone_since_it_may_have_been_used(tmp_path: Path) -> None:
    with closing(OutboxFile.open(OutboxLimits(path=tmp_path / "outbox"), NOW_MS)) as file:
        file.append([block(1)], NOW_MS)
        file.keep_bd_seq(7)
        for seed in range(20):
            copy = tmp_path / f"copy-{seed}"
            copy.mkdir()
            for suffix in ("", "-wal"):
                shutil.copyfile(tmp_path / f"outbox{suffix}", copy / f"outbox{suffix}")
            assert cut_power(copy / "outbox", lambda _epoch, _number: False, Random(seed)).undone == 0


def test_a_power_cut_is_seen_to_undo_and_to_leave_rubbish(dead: Path, tmp_path: Path) -> None:
    cuts = []
    for seed in range(40):
        copy = tmp_path / f"copy-{seed}"
        shutil.copytree(dead.parent, copy)
        cuts.append(cut_power(copy / "outbox", lambda _epoch, _number: False, Random(seed)))
    assert any(cut.undone for cut in cuts)
    assert any(cut.rubbish and cut.undone for cut in cuts)
    assert any(not cut.undone for cut in cuts)
