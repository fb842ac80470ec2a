from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.durations import DAY_MS, HOUR_MS
from ingest_service.store import copying
from ingest_service.store.comparing import Verdict, compare_day
from ingest_service.store.copying import CopiedDay, Journal, by_source, copy_day, days_of, spans
from ingest_service.store.embedded import EmbeddedStore
from tests.ingest_service.store.batches import START_MS, Row, many_blocks, one_block

DAY = START_MS // DAY_MS * DAY_MS
INSIDE = DAY - START_MS


def day_of(rows: int) -> list[Row]:
    return [(1 + at % 2, INSIDE + at * (DAY_MS // rows), float(at)) for at in range(rows)]


def test_a_day_is_read_in_as_few_parts_as_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddedStore(tmp_path)
    assert spans(store, [1, 2], DAY) == []
    store.write(one_block(1, day_of(240)))
    assert spans(store, [1, 2], DAY) == [(DAY, DAY + DAY_MS)]
    for rows, hours in ((120, 12), (50, 5), (3, 1)):
        monkeypatch.setattr(copying, "ROWS_AT_ONCE", rows)
        found = spans(store, [1, 2], DAY)
        assert found[0] == (DAY, DAY + hours * HOUR_MS)
        assert [end for _, end in found][:-1] == [start for start, _ in found][1:]
        assert found[-1][1] == DAY + DAY_MS
    store.close()


@pytest.mark.parametrize("rows_at_once", [7, 10**6])
def test_a_day_copied_twice_is_there_once_and_compares_the_same(
    tmp_path: Path, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "ROWS_AT_ONCE", rows_at_once)
    here, there = EmbeddedStore(tmp_path / "here"), EmbeddedStore(tmp_path / "there")
    here.write(one_block(1, day_of(100)))
    for _ in range(2):
        assert copy_day(here, there, [1, 2], DAY) == CopiedDay(DAY, 100, 0)
    found = list(compare_day(here, there, [1, 2, 3], DAY))
    assert [(one.series, one.samples, one.verdict) for one in found] == [(1, 50, Verdict.SAME), (2, 50, Verdict.SAME)]
    assert (there.status().hot_rows, there.status().sealed_rows) == (0, 100)
    here.close()
    there.close()


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [
        ([(1, INSIDE, 1.0 + 1e-13)], Verdict.ROUNDED),
        ([(1, INSIDE, 1.0 + 1e-9)], Verdict.DIFFERENT),
        ([(1, INSIDE + 1, 1.0)], Verdict.DIFFERENT),
        ([(1, INSIDE, 1.0), (1, INSIDE + HOUR_MS, 1.0)], Verdict.DIFFERENT),
        ([], Verdict.DIFFERENT),
    ],
)
def test_what_differs_is_seen(tmp_path: Path, theirs: list[Row], verdict: Verdict) -> None:
    here, there = EmbeddedStore(tmp_path / "here"), EmbeddedStore(tmp_path / "there")
    here.write(one_block(1, [(1, INSIDE, 1.0)]))
    there.write(many_blocks([(1, theirs)]))
    assert [one.verdict for one in compare_day(here, there, [1], DAY)] == [verdict]
    assert [one.verdict for one in compare_day(there, here, [1], DAY)] == [verdict]
    here.close()
    there.close()


@given(st.lists(st.integers(0, 50).map(lambda day: CopiedDay(day * DAY_MS, day, day))), st.integers(0, 30))
def test_a_journal_that_was_cut_off_knows_the_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, days: list[CopiedDay], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    for day in days:
        Journal(path).add(day)
    if days:
        path.write_bytes(path.read_bytes()[: -cut or None])
    lines = path.read_bytes().count(b"\n") if days else 0
    known = Journal(path).done
    assert {day.day_ms for day in days[:lines]} <= known.keys() <= {day.day_ms for day in days[: lines + 1]}


def test_days_are_those_from_the_oldest_to_the_newest_sample(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    assert days_of(store.status()) == []
    store.write(one_block(1, [(1, INSIDE + DAY_MS - 1, 1.0), (1, INSIDE + 2 * DAY_MS, 1.0)]))
    assert days_of(store.status()) == [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS]
    store.close()


def test_series_are_gathered_by_their_source() -> None:
    assert by_source([(1, 5), (2, 6), (1, 7)]) == {1: [5, 7], 2: [6]}
