from hypothesis import given
from hypothesis import strategies as st

from ingest_service.store.batch import no_minutes
from ingest_service.store.dirty import DirtyMarks, minutes_touched
from tests.ingest_service.store.batches import HOUR_MS, START_MS, Row, many_blocks, marks_of

row_lists = st.lists(st.tuples(st.just(1), st.integers(0, 2 * HOUR_MS), st.just(1.0)), max_size=5)


@given(st.lists(st.tuples(st.integers(1, 9), row_lists), max_size=5))
def test_every_minute_of_a_sample_and_the_next_one_is_touched(blocks: list[tuple[int, list[Row]]]) -> None:
    batch = many_blocks(blocks)
    touched = set(marks_of(minutes_touched(batch, list(batch.blocks))))
    needed = {(1, row[1] // 60_000 + step) for _, rows in blocks for row in rows for step in (0, 1)}
    assert needed <= touched
    assert len(touched) <= len(needed) + 2 * len(blocks)


def test_a_mark_is_written_once_until_it_is_handed_out() -> None:
    batch = many_blocks([(1, [(1, 0, 1.0)])])
    touched = minutes_touched(batch, list(batch.blocks))
    marks = DirtyMarks(no_minutes())
    assert len(marks.unmarked(touched)) == 2
    marks.mark(touched)
    assert len(marks.unmarked(touched)) == 0
    marks.hand_out(START_MS + HOUR_MS, 10)
    assert len(marks.unmarked(touched)) == 2
    marks.clear(touched)
    assert len(marks.hand_out(START_MS + HOUR_MS, 10)) == 0
