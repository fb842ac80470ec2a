from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, Gap, GapReason, OutboxFile, TagName, ValueKind
from edge_agent.wire.sample import Sample

NOW_MS = 1_800_000_000_000
CO, O2 = TagName("f1", "co", ValueKind.NUMBER), TagName("f1", "o2", ValueKind.NUMBER)
BLOCKS = [
    Block(1, "f1", (Sample(11, NOW_MS, 1.0), Sample(12, NOW_MS + 5, 2.0))),
    Block(2, "f1", (Sample(12, NOW_MS + 9, 3.0),)),
]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OutboxFile]:
    with closing(OutboxFile.open(OutboxLimits(path=tmp_path / "outbox.db"), NOW_MS)) as opened:
        opened.use_tags({11: CO, 12: O2})
        opened.append(BLOCKS, NOW_MS)
        yield opened


def test_the_same_tags_change_nothing(file: OutboxFile) -> None:
    file.use_tags({11: CO, 12: O2})
    assert file.read(0, 9, 9) == BLOCKS


def test_waiting_samples_follow_their_channel_to_its_new_alias(file: OutboxFile) -> None:
    file.use_tags({11: O2, 12: TagName("f1", "nox", ValueKind.NUMBER), 21: CO})
    assert [[(s.alias, s.value) for s in block.samples] for block in file.read(0, 9, 9)] == [
        [(21, 1.0), (11, 2.0)],
        [(11, 3.0)],
    ]
    assert file.gaps() == []


def test_samples_of_a_channel_that_was_taken_away_become_a_gap(file: OutboxFile) -> None:
    file.use_tags({11: CO})
    assert [[s.value for s in block.samples] for block in file.read(0, 9, 9)] == [[1.0]]
    assert file.gaps() == [Gap("f1", NOW_MS, NOW_MS + 9, 2, GapReason.NOT_CONFIGURED, ("o2",))]
    assert (file.state().blocks, file.state().samples, file.state().samples_dropped) == (1, 1, 2)


def test_a_channel_that_became_text_does_not_take_the_numbers(file: OutboxFile) -> None:
    file.use_tags({11: TagName("f1", "co", ValueKind.TEXT), 12: O2})
    assert [block.number for block in file.read(0, 9, 9)] == [1, 2]
    assert file.state().samples_dropped == 1


def test_a_file_written_without_tags_takes_those_of_the_first_that_tells_them(tmp_path: Path) -> None:
    with closing(OutboxFile.open(OutboxLimits(path=tmp_path / "fresh.db"), NOW_MS)) as file:
        file.append(BLOCKS, NOW_MS)
        file.use_tags({11: CO, 12: O2})
        assert file.read(0, 9, 9) == BLOCKS
