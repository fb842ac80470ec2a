from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest_service.intake.speaking import REBIRTHS_PER_S, Acknowledgements, RebirthRequests, ranges_of


@given(st.sets(st.integers(1, 80)))
def test_ranges_say_just_the_blocks_in_as_few_ranges_as_possible(blocks: set[int]) -> None:
    ranges = ranges_of(blocks)
    assert {block for first, last in ranges for block in range(first, last + 1)} == blocks
    assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges))


def test_an_edge_is_told_at_most_four_times_a_second_and_of_everything() -> None:
    acknowledgements = Acknowledgements()
    said = []
    for now_ms in range(10_000, 11_000, 10):
        acknowledgements.add("east", "edge-1", 7, now_ms)
        said += acknowledgements.due(now_ms)
    said += acknowledgements.due(20_000)
    assert len(said) == 5
    told = {block for due in said for first, last in due.acknowledgement.ranges for block in range(first, last + 1)}
    assert told == set(range(10_000, 11_000, 10))


def test_each_outbox_of_an_edge_is_acknowledged_by_its_own_epoch() -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.add("east", "edge-1", 7, 1)
    acknowledgements.add("east", "edge-1", 8, 1)
    assert [due.acknowledgement.epoch for due in acknowledgements.due(1000)] == [7, 8]


def test_a_rebirth_is_asked_ever_more_rarely_until_the_birth_comes() -> None:
    requests = RebirthRequests()
    asked = []
    for now_ms in range(0, 100_000, 100):
        requests.want("east", "edge-1")
        asked += [now_ms for _ in requests.due(now_ms)]
    assert asked == [0, 5_000, 15_000, 35_000, 75_000]
    requests.born("east", "edge-1")
    assert requests.due(999_000) == []
    requests.want("east", "edge-1")
    assert requests.due(999_000) == [("east", "edge-1")]


def test_a_whole_city_is_not_asked_in_one_second() -> None:
    requests = RebirthRequests()
    for number in range(3 * REBIRTHS_PER_S):
        requests.want("east", f"edge-{number}")
    counts = [len(requests.due(now_ms)) for now_ms in (5000, 5500, 6000, 7000, 8000)]
    assert counts == [REBIRTHS_PER_S, 0, REBIRTHS_PER_S, REBIRTHS_PER_S, 0]
