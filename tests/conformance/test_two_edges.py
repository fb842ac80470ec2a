"""Two edges that go by one name: noticed, shown, and nothing of either is lost or mixed up."""

from collections.abc import Iterator

import pytest

from tests.conformance.host_stage import HostStage, host_stage
from tests.conformance.speaking_edge import CO, O2, SpeakingEdge, speaking
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostStage]:
    with host_stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


def conflicts(stage: HostStage, home: str) -> int:
    found = stage.edge(home).get("conflicts", 0)
    assert isinstance(found, int)
    return found


def told_apart(stage: HostStage, home: str, first: SpeakingEdge, second: SpeakingEdge) -> None:
    """Both are born in turn until the service has noticed: the first, the second, the first."""
    first.be_born()
    first.send(1, 1.0)
    wait_until(lambda: first.acknowledged == {1})
    second.be_born()
    second.send(1, 100.0)
    wait_until(lambda: second.acknowledged == {1})
    first.be_born()
    wait_until(lambda: conflicts(stage, home) == 1)


def test_births_that_take_turns_are_noticed_counted_and_shown(stage: HostStage) -> None:
    with speaking(stage.broker.port, "turns", 7, 0) as first, speaking(stage.broker.port, "turns", 8, 50) as second:
        told_apart(stage, "turns", first, second)
        second.be_born()
        wait_until(lambda: conflicts(stage, "turns") == 2)
        assert stage.service.metric("clearstack_edge_conflicts_total") >= 2
        page = stage.service.http.get("/data", headers={"accept-language": "en"}).text
        assert "two edges go by this name (seen 2 times)" in page
        wait_until(lambda: _refused(stage, "turns"))


def _refused(stage: HostStage, home: str) -> bool:
    rows = stage.service.http.get("/api/v1/rejections").json()
    return any((row["home"], row["reason"]) == (home, "other_edge") for row in rows)


def test_of_the_newer_one_nothing_is_stored_or_acknowledged_any_more_and_of_the_older_one_all(
    stage: HostStage,
) -> None:
    with speaking(stage.broker.port, "pure", 7, 0) as first, speaking(stage.broker.port, "pure", 8, 50) as second:
        told_apart(stage, "pure", first, second)
        for block in (2, 3):
            second.be_born()
            second.send(block, 100.0 + block)
            wait_until(lambda seen=block: conflicts(stage, "pure") == seen)  # type: ignore[misc]
            first.be_born()
            first.send(block, float(block))
            wait_until(lambda sent=block: sent in first.acknowledged)  # type: ignore[misc]
        assert second.acknowledged == {1}
    assert stage.stored("pure") == [1.0, 100.0, 2.0, 3.0]


def test_a_block_between_the_blocks_of_another_outbox_is_neither_stored_nor_acknowledged_to_either(
    stage: HostStage,
) -> None:
    with speaking(stage.broker.port, "between", 7, 0) as first, speaking(stage.broker.port, "between", 8, 50) as second:
        first.be_born()
        first.send(1, 1.0)
        wait_until(lambda: first.acknowledged == {1})
        second.be_born(co=O2, o2=CO)  # with other aliases: a mix-up would put values under other names
        second.send(1, 100.0, alias=O2)
        wait_until(lambda: second.acknowledged == {1})
        first.seq = second.seq
        first.send(2, 2.0)  # in the order that the births of the second one began
        wait_until(lambda: first.rebirths >= 1)
        assert 2 not in second.acknowledged | first.acknowledged
        assert stage.stored("between", "o2") == []
        assert conflicts(stage, "between") >= 1
        first.be_born()
        first.send(2, 2.0)
        wait_until(lambda: first.acknowledged == {1, 2})
    assert stage.stored("between") == [1.0, 100.0, 2.0]


def test_while_two_have_copies_of_one_outbox_nothing_is_acknowledged_to_either(stage: HostStage) -> None:
    with speaking(stage.broker.port, "copy", 7, 3) as first, speaking(stage.broker.port, "copy", 7, 3) as second:
        first.be_born()
        first.send(1, 1.0)
        wait_until(lambda: first.acknowledged == {1})
        first.die()
        second.be_born()
        second.send(2, 2.0)
        wait_until(lambda: stage.stored("copy") == [1.0, 2.0])
        wait_until(lambda: conflicts(stage, "copy") == 1)
        second.send(3, 3.0)
        wait_until(lambda: stage.stored("copy") == [1.0, 2.0, 3.0])
        assert first.acknowledged == second.acknowledged == {1}
