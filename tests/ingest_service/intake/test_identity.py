import pytest

from ingest_service.intake.identity import CONTESTED_MS, Claim, Identity

RIGHTFUL, REFUSED, COPY = Claim.RIGHTFUL, Claim.REFUSED, Claim.COPY


def told(*births: tuple[int | None, int]) -> tuple[list[Claim], int]:
    """What births (epoch, bdSeq) are worth that come one a second, and the conflicts that they show."""
    identity = Identity()
    claims = [identity.claim(epoch, bd_seq, 1000 * at) for at, (epoch, bd_seq) in enumerate(births)]
    return claims, identity.conflicts


@pytest.mark.parametrize(
    "births",
    [
        pytest.param([(7, 0), (7, 0), (7, 1), (7, 2)], id="births again and new connections"),
        pytest.param([(7, 255), (7, 0)], id="the count comes round"),
        pytest.param([(7, 0), (8, 0), (8, 1)], id="a replaced outbox within a connection"),
        pytest.param([(7, 4), (8, 0), (9, 0)], id="outboxes replaced again and again"),
        pytest.param([(None, 0), (None, 1), (None, 0), (None, 1), (None, 0)], id="another make that counts from 0"),
    ],
)
def test_one_edge_is_never_taken_for_two(births: list[tuple[int | None, int]]) -> None:
    claims, conflicts = told(*births)
    assert (set(claims), conflicts) == ({RIGHTFUL}, 0)


def test_of_two_outboxes_that_take_turns_the_newer_is_refused() -> None:
    claims, conflicts = told((7, 0), (8, 50), (7, 1), (8, 51), (7, 2), (8, 52))
    assert claims == [RIGHTFUL, RIGHTFUL, RIGHTFUL, REFUSED, RIGHTFUL, REFUSED]
    assert conflicts == 3


def test_the_newer_one_is_heard_when_the_older_one_has_been_silent_for_long() -> None:
    identity = Identity()
    for at, epoch in enumerate((7, 8, 7)):
        identity.claim(epoch, at, at)
    identity.heard(1000)
    assert identity.claim(8, 9, 1000 + CONTESTED_MS - 1) is REFUSED
    assert identity.claim(8, 9, 1000 + CONTESTED_MS) is RIGHTFUL
    assert identity.claim(8, 10, 1000 + CONTESTED_MS + 1) is RIGHTFUL


def test_a_birth_with_the_bd_seq_of_a_death_is_that_of_a_copy_and_nothing_is_acknowledged_for_a_while() -> None:
    identity = Identity()
    identity.claim(7, 3, 0)
    assert identity.may_acknowledge(0)
    identity.died()
    assert identity.claim(7, 3, 1000) is COPY
    assert identity.conflicts == 1
    assert not identity.may_acknowledge(1000 + CONTESTED_MS - 1)
    assert identity.may_acknowledge(1000 + CONTESTED_MS)


def test_after_its_death_an_edge_comes_back_with_the_next_bd_seq() -> None:
    identity = Identity()
    identity.claim(7, 3, 0)
    identity.died()
    assert identity.claim(7, 4, 1000) is RIGHTFUL
    assert identity.conflicts == 0


def test_edges_of_another_make_that_take_turns_are_counted() -> None:
    claims, conflicts = told((None, 5), (None, 100), (None, 6), (None, 101), (None, 6), (None, 101))
    assert set(claims) == {RIGHTFUL}
    assert conflicts == 4
