import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.errors import StoreError
from ingest_service.store.remote.failures import Busy, RefusedData, TooLarge, Unreachable
from ingest_service.store.remote.names import series_name
from ingest_service.store.remote.points import Points, samples_points
from ingest_service.store.remote.writing import Sending
from tests.ingest_service.store.batches import samples

NAMES = {one: series_name(one, 1, "h", "e", "d", f"c{one}", None) for one in range(1, 9)}


def points_of(count: int) -> Points:
    """`count` values; the value of each is its row."""
    points, _ = samples_points(samples([(1 + at % 8, at // 8, float(at)) for at in range(count)]), NAMES)
    return points


class Server:
    """Takes every value but those it is told to refuse; `answers` come first."""

    def __init__(self, refused: set[int] = set(), most: int = 10**9, answers: tuple[StoreError, ...] = ()) -> None:  # noqa: B006
        self.refused, self.most, self.answers = refused, most, list(answers)
        self.stored: set[int] = set()
        self.posts, self.waited = 0, 0.0

    def post(self, lines: bytes) -> None:
        self.posts += 1
        if self.answers:
            raise self.answers.pop(0)
        values = {
            int(float(field.partition("=")[2]))
            for line in lines.decode().split("\n")
            for field in line.split(" ")[1].split(",")
        }
        if len(values) > self.most:
            raise TooLarge("413")
        self.stored |= values - self.refused
        if values & self.refused:
            raise RefusedData("400: partial write")

    def wait(self, seconds: float) -> None:
        self.waited += seconds


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
def test_what_is_refused_is_found_and_the_rest_is_stored(count: int, refused: set[int]) -> None:
    server = Server(refused)
    found = Sending(server.post, server.wait).send(points_of(count))
    assert {one.row for one in found} == {row for row in refused if row < count}
    assert server.stored == set(range(count)) - refused


def test_one_bad_value_among_many_costs_few_requests() -> None:
    server = Server({777})
    Sending(server.post, server.wait).send(points_of(20_000))
    assert server.posts <= 2 * 16


@given(st.integers(1, 100), st.integers(1, 20))
def test_a_body_that_is_too_large_goes_in_parts(count: int, most: int) -> None:
    server = Server(most=most)
    assert Sending(server.post, server.wait).send(points_of(count)) == []
    assert server.stored == set(range(count))


def test_a_single_value_that_is_too_large_is_no_refusal_but_a_failure() -> None:
    server = Server(most=0)
    with pytest.raises(TooLarge):
        Sending(server.post, server.wait).send(points_of(3))


def test_patience_is_bounded_in_all() -> None:
    server = Server(answers=tuple(Busy("503", 1.0) for _ in range(9)))
    with pytest.raises(Busy):
        Sending(server.post, server.wait, patience_s=3.5).send(points_of(3))
    assert server.waited == 3.0


def test_a_line_that_broke_is_tried_once_more_and_a_server_that_is_away_is_not() -> None:
    idle = Server(answers=(Unreachable("x: the connection broke (ProtocolError)"),))
    assert Sending(idle.post, idle.wait).send(points_of(3)) == []
    away = Server(answers=(Unreachable("x: cannot be reached"),))
    with pytest.raises(Unreachable):
        Sending(away.post, away.wait).send(points_of(3))
    assert away.posts == 1
