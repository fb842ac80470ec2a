"""The promise of the whole path, with every part in a process of its own and the service killed in full flow."""

import time
from pathlib import Path

import pytest

from edge_agent.simulator.read_log import CountedAnswer
from tests.support.ledger import good_values, read_answers, stored_counters
from tests.support.plant import COUNTER, Plant, plant

HOME = "songhe"
FURNACES = (1, 2)


def reads(plant: Plant) -> list[CountedAnswer]:
    return read_answers(plant.read_log).get(FURNACES[-1], [])


def wait_for_reads(plant: Plant, more: int) -> None:
    """The furnaces are read so many times more, whoever else is up."""
    wanted = len(reads(plant)) + more
    plant.wait(lambda: len(reads(plant)) >= wanted)


def shown(plant: Plant) -> float:
    return min(plant.service.counter(HOME, str(number)) for number in FURNACES)


def kill_in_full_flow(plant: Plant) -> None:
    """Wait until a value comes through, kill the service, leave it dead for some readings, start it again."""
    before = shown(plant)
    plant.wait(lambda: shown(plant) > before + 1)
    plant.service.program.kill()
    wait_for_reads(plant, 3)
    plant.service.start()
    plant.wait(lambda: shown(plant) > before + 3)


def told(plant: Plant, furnace: int) -> set[float]:
    """The counter values of a furnace that the API gives."""
    series = plant.service.tags(HOME, str(furnace))[COUNTER]["series"]
    now_ms = time.time_ns() // 1_000_000
    span = {"from": now_ms - 3_600_000, "to": now_ms + 60_000}
    return set(plant.service.http.get(f"/api/v1/series/{series}/raw", params=span).json()["value"])


def bring_home(plant: Plant) -> None:
    """Wait until all that was read by now is stored; what a dead furnace left waits a minute for its next birth."""
    answered = {
        number: {answer.value for answer in answers} for number, answers in read_answers(plant.read_log).items()
    }
    plant.wait(lambda: all(values <= told(plant, number) for number, values in answered.items()), 100)


def end_quietly(plant: Plant) -> None:
    """No more readings; what was read is brought home; then all end."""
    assert plant.furnaces
    bring_home(plant)
    plant.furnaces.stop()
    bring_home(plant)
    plant.agents[HOME].stop()
    plant.service.program.stop()


@pytest.mark.timeout(400)
def test_a_service_that_is_killed_twice_while_it_runs_has_every_reading_exactly_once(tmp_path: Path) -> None:
    with plant(tmp_path, counter_s=0.25) as running:
        running.light(len(FURNACES))
        running.add_home(HOME, FURNACES)
        running.wait(lambda: shown(running) > 2)
        for _ in range(2):
            kill_in_full_flow(running)
        end_quietly(running)
        answered = read_answers(running.read_log)
        stored = stored_counters(running.service.data)
    assert sorted(stored) == list(FURNACES)
    for furnace, answers in answered.items():
        values = good_values(stored[furnace])
        assert [answer.value for answer in answers if answer.value not in values] == []
        assert {value: count for value, count in values.items() if count > 1} == {}
        assert len(answers) > 10
