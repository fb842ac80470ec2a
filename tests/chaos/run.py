"""One run: faults as drawn, then quiet, then the settlement."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import msgspec

from tests.chaos.accounts import Account, Settlement, settle
from tests.chaos.schedule import Fault, draw_faults
from tests.chaos.world import HOMES, World, world
from tests.support.ledger import read_answers, stored_counters, stored_gaps
from tests.support.plant import COUNTER
from tests.support.waiting import wait_until

WARM_UP_S = 100.0
CALM_S = 120.0
DRAIN_S = 180.0
FURNACES = [(home, number) for home, numbers in HOMES.items() for number in numbers]
Say = Callable[[str], None]


class Outcome(msgspec.Struct, frozen=True):
    """What was done, what came of it, and what is wrong in words."""

    faults: Mapping[str, int]
    account: Account
    complaints: Sequence[str]
    drained_s: float


def run(folder: Path, seed: int, length_s: float, say: Say) -> Outcome:
    """Let faults befall a plant in `folder` for so long, leave it in peace, and settle."""
    with world(folder, Random(seed)) as made:
        wait_until(lambda: made.is_well() and all(made.shown(home, number) for home, number in FURNACES), WARM_UP_S)
        for what in made.impossible:
            say(what)
        faults = draw_faults(seed, length_s, made.victims)
        perform(made, faults, say)
        wait_for_calm(made)
        drained_s = end_quietly(made)
        say(f"drained after {drained_s:.1f} s")
        settlements = settlements_of(made)
    complaints = [text for settlement in settlements for text in settlement.complaints]
    account = sum((settlement.account for settlement in settlements), Account())
    return Outcome(Counter(fault.kind.value for fault in faults), account, complaints, drained_s)


def perform(made: World, faults: Sequence[Fault], say: Say) -> None:
    """Begin and end each fault when its time has come.

    The schedule stands still while a program takes its time to end, so that none suffers twice at once.
    """
    steps = [(fault.at_s, made.begin, fault) for fault in faults]
    steps += [(fault.at_s + fault.for_s, made.end, fault) for fault in faults]
    begun_s = time.monotonic()
    for at_s, act, fault in sorted(steps, key=lambda step: step[0]):
        time.sleep(max(0.0, begun_s + at_s - time.monotonic()))
        due_s = time.monotonic()
        if act == made.begin:
            say(f"{at_s:7.1f} s  {fault.kind} {fault.target} {fault.trouble} {fault.amount:g} for {fault.for_s:.1f} s")
        act(fault)
        if act == made.end:
            made.check()
        begun_s += time.monotonic() - due_s


def wait_for_calm(made: World) -> None:
    """All is well again: every furnace is read, and shown."""
    last = {number: answers[-1].value for number, answers in read_answers(made.read_log).items()}
    wait_until(
        lambda: made.is_well() and all(made.shown(home, number) > last[number] for home, number in FURNACES), CALM_S
    )


def end_quietly(made: World) -> float:
    """No more readings; wait until all that was read is at the centre, then end the programs. Returns how long, s."""
    made.furnaces.stop()
    begun_s = time.monotonic()
    wait_until(lambda: made.is_well() and not any(made.shown(home, number) for home, number in FURNACES), CALM_S)
    try:
        wait_until(lambda: not made.waiting(), DRAIN_S)
    except TimeoutError as error:
        raise TimeoutError(f"outboxes still hold {made.waiting()}") from error
    drained_s = time.monotonic() - begun_s
    for home in made.homes.values():
        home.agent.stop()
    made.service.program.stop()
    return drained_s


def settlements_of(made: World) -> list[Settlement]:
    """The account of every furnace."""
    answers, rows = read_answers(made.read_log), stored_counters(made.service.data)
    gaps = [gap for gap in stored_gaps(made.service.data) if not gap.channels or COUNTER in gap.channels]
    settled = []
    for home, numbers in HOMES.items():
        for number in numbers:
            delivered = {value: one for (unit, value), one in made.deliveries.items() if unit == number}
            mine = [gap for gap in gaps if gap.home_id == home and gap.device in ("", f"furnace-{number}")]
            settled.append(settle(answers.get(number, []), delivered, rows.get(number, []), mine))
    return settled
