from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason, Sample
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType
from ingest_service.intake.arrivals import Arrival
from ingest_service.store.registry import Registry
from tests.ingest_service.workers.centre import Centre, co, o2
from tests.ingest_service.workers.edges import NOW_MS, SpeakingEdge


def test_an_unknown_edge_is_asked_for_its_birth_once_and_nothing_is_acknowledged(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(edge.data(1, [co(0, 1.0)]), edge.data(2, [co(1, 2.0)]))
    assert centre.spoken.rebirths == ["spBv1.0/east/NCMD/edge-1"]
    assert centre.spoken.acknowledged == []
    assert centre.worker.counters().messages_rejected == {"unknown_edge": 2}
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0)], historical=True))
    assert centre.stored() == [(0, 1.0)]


def test_a_device_that_was_not_born_is_asked_for_and_not_acknowledged(centre: Centre) -> None:
    edge = SpeakingEdge()
    births = edge.births()
    edge.device = "other"
    centre.hear(*births, edge.data(1, [co(0, 1.0)]))
    assert len(centre.spoken.rebirths) == 1
    assert centre.spoken.acknowledged == []


def test_an_unknown_tag_leads_to_a_rebirth_and_the_rest_is_stored(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0), Sample(15, NOW_MS, 2.0)]))
    assert centre.stored() == [(0, 1.0)]
    assert centre.worker.counters().samples_rejected == {"unknown_tag": 1}
    assert len(centre.spoken.rebirths) == 1


def test_a_lost_message_asks_for_a_rebirth_after_the_reorder_timeout(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0)]))
    edge.lose_message()
    centre.hear(edge.data(3, [co(2, 3.0)]))
    assert centre.spoken.acknowledged == [(1, 1)]
    centre.after(2000)
    assert len(centre.spoken.rebirths) == 1
    centre.hear(*edge.births())
    centre.after(1000)
    assert centre.stored() == [(0, 1.0), (2, 3.0)]
    assert centre.spoken.acknowledged == [(1, 1), (3, 3)]
    (view,) = centre.worker.edges()
    assert (view.seq_gaps, view.rebirths) == (1, 1)


def test_messages_that_were_held_back_are_read_when_the_missing_one_comes(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    first, second, third, fourth = (edge.data(number, [co(number, float(number))]) for number in range(1, 5))
    centre.hear(first, third)
    centre.hear(fourth)
    assert centre.stored() == [(1, 1.0)]
    centre.hear(second)
    assert centre.stored() == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    centre.after(1_000)
    assert centre.spoken.acknowledged == [(1, 1), (2, 4)]


def test_aliases_of_a_missed_birth_are_never_taken_for_those_of_the_one_before(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0), o2(0, 11.0)]))
    edge.bd_seq, edge.first_alias = 1, 11  # restarted with another site file: alias 11 is co now
    edge.births()  # and nobody heard it
    centre.hear(edge.data(2, [Sample(11, NOW_MS + 1, 500.0)]))
    centre.after(2500)
    assert centre.stored("o2") == [(0, 11.0)]
    assert len(centre.spoken.rebirths) == 1
    centre.hear(*edge.births(), edge.data(2, [Sample(11, NOW_MS + 1, 500.0)], historical=True))
    assert centre.stored("co") == [(0, 1.0), (1, 500.0)]
    assert centre.stored("o2") == [(0, 11.0)]


def test_a_birth_shows_the_values_that_came_with_it_without_storing_them_twice(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births([co(0, 42.0)]))
    assert centre.shown("co") == [(42.0, Reason.GOOD)]
    assert centre.shown("o2") == []
    assert centre.stored() == []


def test_an_edge_of_another_make_is_taken_as_it_is(centre: Centre) -> None:
    edge = SpeakingEdge("west", "other-make")
    edge.epoch = None
    named = Payload(timestamp=NOW_MS, seq=2)
    named.metrics.add(name="co", timestamp=NOW_MS + 5, double_value=44.0, datatype=DataType.DOUBLE)
    by_name = Arrival(edge.topic(MessageType.DDATA), named.SerializeToString(), NOW_MS)
    centre.hear(*edge.births([Sample(10, NOW_MS, 42.0)]), by_name)
    series = centre.series("co", "west")
    assert centre.store.raw([series], NOW_MS, NOW_MS + 10).value.tolist() == [42.0, 44.0]
    assert centre.spoken.acknowledged == []
    assert [view.best_effort for view in centre.worker.edges()] == [True]


def test_a_dead_device_is_shown_stale_until_it_is_born_again(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births([co(0, 42.0)]), edge.data(1, [co(1, 43.0)]), edge.device_death())
    assert centre.shown() == [(43.0, Reason.STALE)]
    centre.hear(edge.device_birth([co(1, 43.0)]))
    assert centre.shown() == [(43.0, Reason.GOOD)]


def test_a_dead_edge_is_offline_and_all_that_it_has_is_stale(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births([co(0, 42.0)]), edge.death())
    assert centre.shown() == [(42.0, Reason.STALE)]
    assert [view.online for view in centre.worker.edges()] == [False]
    edge.bd_seq = 1
    centre.hear(*edge.births([co(0, 42.0)]))
    assert centre.shown() == [(42.0, Reason.GOOD)]
    assert [view.online for view in centre.worker.edges()] == [True]


def test_a_restarted_centre_knows_its_edges_and_when_they_were_last_heard(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    edge.at_ms += 12_000
    centre.now_ms += 12_000
    centre.hear(edge.data(1, [co(0, 1.0)]))
    centre.registry = Registry(centre.engine)
    (view,) = centre.new_worker().edges()
    assert (view.home, view.edge, view.online) == ("east", "edge-1", False)
    assert view.last_seen_ms == NOW_MS + 12_000
