import threading
from pathlib import Path

import numpy as np
import pytest

from edge_agent.wire.sample import Reason
from ingest_service.errors import StoreError
from ingest_service.intake.arrivals import ArrivalQueue
from ingest_service.intake.identity import CONTESTED_MS
from ingest_service.store.embedded import EmbeddedStore
from tests.ingest_service.workers.centre import Centre, co, o2
from tests.ingest_service.workers.edges import NOW_MS, SpeakingEdge
from tests.support.waiting import PATIENCE_S, wait_until


def test_samples_are_stored_shown_and_then_acknowledged(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0), o2(0, 11.0)]), edge.data(2, [co(1000, 43.0)]))
    assert centre.stored("co") == [(0, 42.0), (1000, 43.0)]
    assert centre.stored("o2") == [(0, 11.0)]
    assert centre.shown("co") == [(43.0, Reason.GOOD)]
    assert centre.spoken.acknowledged == [(1, 2)]
    assert centre.spoken.commands[0][0] == "spBv1.0/east/NCMD/edge-1"
    counters = centre.worker.counters()
    assert (counters.samples_received, counters.samples_stored, counters.acknowledged_blocks) == (3, 3, 2)
    assert (counters.acknowledged_samples, counters.messages, counters.births, counters.batches) == (3, 4, 2, 1)


def test_a_repeated_block_is_stored_once_and_acknowledged_again(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0)]))
    centre.now_ms += 1000
    centre.hear(edge.data(1, [co(0, 42.0)], historical=True))
    assert centre.stored() == [(0, 42.0)]
    assert centre.spoken.acknowledged == [(1, 1), (1, 1)]
    assert centre.worker.counters().samples_repeated == 1


def test_what_was_not_acknowledged_while_an_outbox_had_two_copies_is_acknowledged_afterwards(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0)]), edge.death(), *edge.births())
    centre.spoken.commands.clear()
    centre.hear(edge.data(2, [co(1000, 43.0)]), edge.data(3, [co(2000, 44.0)]))
    centre.after(CONTESTED_MS - 1000)
    centre.hear(edge.data(5, [co(3000, 45.0)]))
    centre.after(999)
    assert centre.spoken.acknowledged == []
    centre.after(1)
    assert centre.spoken.acknowledged == [(1, 3), (5, 5)]
    centre.after(1000)
    assert len(centre.spoken.commands) == 1


def test_history_is_stored_and_does_not_change_what_is_shown(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(2, [co(0, 42.0)]), edge.data(1, [co(5000, 99.0)], historical=True))
    assert centre.stored() == [(0, 42.0), (5000, 99.0)]
    assert centre.shown() == [(42.0, Reason.GOOD)]


def test_a_failing_store_acknowledges_nothing_and_recovers(centre: Centre, tmp_path: Path) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    centre.store.close()
    centre.hear(edge.data(1, [co(0, 1.0)]))
    assert "closed" in centre.worker.problem
    assert centre.spoken.acknowledged == []
    assert centre.worker.counters().samples_unstored == 1
    assert centre.worker.counters().store_errors == 1
    centre.store = EmbeddedStore(tmp_path)
    centre.worker = centre.new_worker()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0)], historical=True))
    assert centre.worker.problem == ""
    assert centre.stored() == [(0, 1.0)]
    assert centre.spoken.acknowledged == [(1, 1)]


def test_a_failed_write_withholds_the_acknowledgement_until_the_edge_sends_again(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    with monkeypatch.context() as broken:
        broken.setattr(centre.store, "write", _disk_full)
        centre.hear(edge.data(1, [co(0, 1.0)]))
    assert centre.worker.problem == "disk full"
    assert centre.spoken.acknowledged == []
    assert centre.shown() == []
    centre.hear(edge.data(1, [co(0, 1.0)], historical=True))
    assert centre.worker.problem == ""
    assert centre.spoken.acknowledged == [(1, 1)]


def _disk_full(_batch: object) -> None:
    raise StoreError("disk full")


def test_an_edge_for_which_there_was_no_room_is_asked_for_its_births_and_nothing_is_lost(centre: Centre) -> None:
    small = SpeakingEdge()
    centre.hear(*small.births())
    births = small.births()
    blocks = [small.data(number, [co(number, float(number))]) for number in range(1, 10)]
    centre.queue = ArrivalQueue(max_bytes=sum(len(birth.payload) + 200 for birth in births))
    centre.worker = centre.new_worker()
    centre.hear(*births)
    centre.hear(*blocks)
    taken = len(centre.stored())
    assert 0 < taken < 9
    centre.after(10)
    assert centre.spoken.rebirths == ["spBv1.0/east/NCMD/edge-1"]
    for arrival in (*small.births(), small.data(9, [co(9, 9.0)])):
        centre.hear(arrival)
    assert centre.stored()[-1] == (9, 9.0)


def test_bad_samples_keep_their_reason_and_have_no_value(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, None, Reason.WIRE_BREAK)]))
    found = centre.store.raw([centre.series("co")], NOW_MS, NOW_MS + 1)
    assert found.reason.tolist() == [Reason.WIRE_BREAK]
    assert np.isnan(found.value).all()


def test_it_runs_on_a_thread_until_it_is_told_to_stop(centre: Centre) -> None:
    edge, stop = SpeakingEdge(), threading.Event()
    thread = threading.Thread(target=centre.worker.run, args=(stop,))
    thread.start()
    for arrival in (*edge.births(), edge.data(1, [co(0, 1.0)])):
        centre.queue.put(arrival)
    wait_until(lambda: centre.spoken.acknowledged)
    stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert centre.stored() == [(0, 1.0)]
