"""Real processes: what was never read, or is gone, is told at the centre with its time and its reason."""

import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent.outbox import read_state
from edge_agent.wire.gap import GapReason
from ingest_service.store.gaps import KnownGap
from tests.support.ledger import Row, good_values, stored_counters, stored_gaps
from tests.support.plant import Plant, plant
from tests.support.program import Program
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(400)
HOME, FURNACE = "east", "1"
HOLE_MS = 2_100  # furnaces are read every second, and a reading that comes late stands for no other
WAIT_S = 100.0


def gaps_of(made: Plant, *reasons: GapReason) -> list[KnownGap]:
    return [gap for gap in stored_gaps(made.service.data) if gap.reason in reasons]


def runs_on(made: Plant, more: int) -> None:
    """Wait until so many further readings have reached the centre."""
    before = made.service.counter(HOME, FURNACE)
    made.wait(lambda: made.service.counter(HOME, FURNACE) >= before + more, WAIT_S)


def await_gap(made: Plant, reason: GapReason) -> None:
    """Wait until a gap of that reason is known at the centre."""
    made.wait(lambda: gaps_of(made, reason), WAIT_S)


def await_all_taken(made: Plant) -> None:
    """Wait until the centre has acknowledged all but what is being read."""
    outbox = made.folder / f"{HOME}.outbox"
    made.wait(lambda: read_state(outbox).blocks <= 2, WAIT_S)


def start_after_a_missed_reading(agent: Program) -> None:
    """Start an agent that has just ended, when a reading has been missed: before that there is no gap."""
    due_s = time.monotonic() + 2 * HOLE_MS / 1000
    wait_until(lambda: time.monotonic() > due_s, WAIT_S)
    agent.start()


def rows_at_the_end(made: Plant) -> list[Row]:
    """What is stored when nothing is read any more, and the centre has all that the edge had."""
    assert made.furnaces is not None
    made.furnaces.stop()
    outbox = made.folder / f"{HOME}.outbox"
    made.wait(lambda: read_state(outbox).blocks == read_state(outbox).gaps_waiting == 0, WAIT_S)
    made.agents[HOME].stop()
    made.service.program.stop()
    return stored_counters(made.service.data)[1]


def assert_every_hole_is_told(rows: list[Row], gaps: list[KnownGap]) -> None:
    """Between two stored values that do not follow each other, or lie far apart, there is a gap record."""
    good = [row for row in rows if row.value is not None]
    for before, after in pairwise(good):
        assert before.value is not None
        follows = after.value == before.value + 1 and after.measured_at_ms - before.measured_at_ms < HOLE_MS
        span = (before.measured_at_ms, after.measured_at_ms)
        assert follows or any(gap.from_ms <= span[1] and gap.to_ms >= span[0] for gap in gaps), (before, after, gaps)


def test_a_killed_agent_a_stopped_one_and_a_damaged_outbox_leave_their_gaps(tmp_path: Path) -> None:
    with plant(tmp_path) as made:
        made.light(1)
        agent = made.add_home(HOME, [1])
        runs_on(made, 4)
        agent.kill()
        start_after_a_missed_reading(agent)
        await_gap(made, GapReason.UNCLEAN_STOP)
        agent.stop()
        start_after_a_missed_reading(agent)
        await_gap(made, GapReason.AGENT_STOPPED)
        agent.stop()
        outbox = tmp_path / f"{HOME}.outbox"
        outbox.write_bytes(b"\xa5" * outbox.stat().st_size)
        agent.start()
        await_gap(made, GapReason.CORRUPT_FILE)
        runs_on(made, 3)
        rows, gaps = rows_at_the_end(made), stored_gaps(made.service.data)
    assert {gap.reason for gap in gaps} >= {GapReason.UNCLEAN_STOP, GapReason.AGENT_STOPPED, GapReason.CORRUPT_FILE}
    assert {gap.device for gap in gaps} == {"furnace-1", ""}
    assert set(good_values(rows).values()) == {1}
    assert_every_hole_is_told(rows, gaps)


def test_a_centre_restored_from_an_old_copy_takes_what_edges_still_have_and_tells_the_rest(tmp_path: Path) -> None:
    with plant(tmp_path) as made:
        made.light(1)
        made.add_home(HOME, [1])
        runs_on(made, 4)
        made.service.program.stop()
        shutil.copytree(made.service.data, tmp_path / "copy")
        made.service.start()
        runs_on(made, 8)
        await_all_taken(made)
        made.service.program.kill()
        shutil.rmtree(made.service.data)
        shutil.copytree(tmp_path / "copy", made.service.data)
        made.service.start()
        await_gap(made, GapReason.CENTRE_RESTORED)
        runs_on(made, 3)
        made.service.program.stop()
        made.service.start()
        runs_on(made, 3)
        rows, gaps = rows_at_the_end(made), stored_gaps(made.service.data)
    restored = sorted(
        (gap for gap in gaps if gap.reason is GapReason.CENTRE_RESTORED), key=lambda gap: (gap.from_ms, gap.to_ms)
    )
    assert {gap.device for gap in restored} == {"furnace-1"}
    assert all(after.from_ms - before.to_ms < HOLE_MS for before, after in pairwise(restored))
    assert max(gap.to_ms for gap in restored) - restored[0].from_ms > 5_000
    stored = [row.measured_at_ms for row in rows]
    assert not [at_ms for at_ms in stored if any(gap.from_ms <= at_ms <= gap.to_ms for gap in restored)]
    assert set(good_values(rows).values()) == {1}
    assert_every_hole_is_told(rows, gaps)
