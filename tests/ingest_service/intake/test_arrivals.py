import threading

from ingest_service.intake.arrivals import Arrival, ArrivalQueue
from tests.support.waiting import PATIENCE_S


def arrival(number: int, size: int = 10) -> Arrival:
    return Arrival(f"topic/{number}", b"x" * size, number)


def test_messages_come_out_in_the_order_in_which_they_came() -> None:
    queue = ArrivalQueue()
    for number in range(5):
        queue.put(arrival(number))
    assert [one.received_at_ms for one in queue.take(3, 0)] == [0, 1, 2]
    assert [one.received_at_ms for one in queue.take(9, 0)] == [3, 4]
    assert queue.take(9, 0) == []


def test_a_full_queue_drops_the_newest_and_counts_it_and_takes_again_when_there_is_room() -> None:
    queue = ArrivalQueue(max_bytes=1000)
    for number in range(5):
        queue.put(arrival(number, size=200))
    assert (len(queue), queue.dropped) == (2, 3)
    queue.take(1, 0)
    queue.put(arrival(9, size=200))
    assert [one.received_at_ms for one in queue.take(9, 0)] == [1, 9]


def test_a_waiting_taker_is_woken_by_the_first_message() -> None:
    queue, taken = ArrivalQueue(), list[Arrival]()
    taker = threading.Thread(target=lambda: taken.extend(queue.take(1, 20)))
    taker.start()
    queue.put(arrival(1))
    taker.join(PATIENCE_S)
    assert taken == [arrival(1)]


def of(edge: str, kind: str = "DDATA", number: int = 0) -> Arrival:
    return Arrival(f"spBv1.0/home/{kind}/{edge}", b"x" * 100, number)


def test_an_edge_that_lost_a_message_is_shut_out_until_it_is_born_again_and_others_are_not() -> None:
    queue = ArrivalQueue(max_bytes=900)
    queue.put(of("a"), of("a"), of("b"), of("b"))
    assert queue.shut_out == {("home", "b")}
    queue.take(2, 0)
    queue.put(of("b", number=1), of("a", number=2), of("b", "NBIRTH", 3))
    assert queue.shut_out == set()
    assert [one.received_at_ms for one in queue.take(9, 0)] == [0, 2, 3]
    queue.put(of("b", number=4))
    assert [one.received_at_ms for one in queue.take(9, 0)] == [4]
    assert queue.dropped == 2


def test_a_birth_that_does_not_fit_leaves_its_edge_shut_out() -> None:
    queue = ArrivalQueue(max_bytes=300)
    queue.put(of("a"), of("b", "NBIRTH"))
    queue.take(1, 0)
    queue.put(of("b"))
    assert queue.take(1, 0) == []
    assert queue.shut_out == {("home", "b")}


def test_births_are_taken_in_smaller_portions() -> None:
    queue = ArrivalQueue()
    queue.put(*(of(f"e{number}", "NBIRTH") for number in range(100)), *(of("a") for _ in range(100)))
    assert [len(queue.take(40, 0)) for _ in range(51)] == [2] * 50 + [40]
    assert len(queue.take(1, 0)) == 1
