from collections import Counter

import pytest

from tests.chaos.schedule import ROUND, Homes, Kind, draw_faults
from tests.support.proxy import Trouble

HOMES = Homes(all=("a", "b", "c"), clocks=("b",), disks=("c",))
LINES = {Kind.AGENT_LINK, Kind.DEVICE_LINK, Kind.SERVICE_LINK}


def test_the_same_seed_draws_the_same_faults_and_another_seed_others() -> None:
    assert draw_faults(7, 600, HOMES) == draw_faults(7, 600, HOMES)
    assert draw_faults(7, 600, HOMES) != draw_faults(8, 600, HOMES)


@pytest.mark.parametrize("seed", range(20))
def test_half_an_hour_holds_every_kind_of_fault_and_more_than_two_hundred_of_them(seed: int) -> None:
    faults = draw_faults(seed, 1750, HOMES)
    counts = Counter(fault.kind for fault in faults)
    assert len(faults) > 200
    assert counts.keys() == set(Kind)
    assert counts[Kind.OUTAGE] == 1
    assert all(fault.at_s + fault.for_s < 1750 for fault in faults)
    assert {fault.trouble for fault in faults if fault.kind in LINES} == set(Trouble) - {Trouble.NONE}


@pytest.mark.parametrize("seed", range(20))
def test_no_process_suffers_from_two_faults_at_once(seed: int) -> None:
    free_s: dict[str, float] = {}
    for fault in draw_faults(seed, 1750, HOMES):
        if fault.kind in LINES | {Kind.DISK_FULL, Kind.CLOCK_STEP, Kind.OUTAGE}:
            continue
        assert fault.at_s >= free_s.get(fault.target, 0.0)
        free_s[fault.target] = fault.at_s + fault.for_s


def test_what_cannot_be_done_here_is_not_drawn() -> None:
    kinds = {fault.kind for fault in draw_faults(1, 1750, Homes(all=("a",), clocks=(), disks=()))}
    assert kinds == set(ROUND) - {Kind.CLOCK_STEP, Kind.DISK_FULL} | {Kind.OUTAGE}
