"""Which faults befall the plant, when and for how long: drawn from a seed. Pure."""

from collections.abc import Sequence
from enum import StrEnum, unique
from random import Random

import msgspec

from tests.support.proxy import Trouble

BROKER, SERVICE = "broker", "service"


@unique
class Kind(StrEnum):
    """What may happen."""

    KILL_AGENT = "kill_agent"
    RESTART_AGENT = "restart_agent"
    FREEZE_AGENT = "freeze_agent"
    POWER_LOSS = "power_loss"
    KILL_BROKER = "kill_broker"
    KILL_SERVICE = "kill_service"
    RESTART_SERVICE = "restart_service"
    FREEZE_SERVICE = "freeze_service"
    AGENT_LINK = "agent_link"
    DEVICE_LINK = "device_link"
    SERVICE_LINK = "service_link"
    CLOCK_STEP = "clock_step"
    DISK_FULL = "disk_full"
    OUTAGE = "outage"


# How often each comes in one round, and for how long it lasts at least and at most, s.
ROUND: dict[Kind, tuple[int, float, float]] = {
    Kind.KILL_AGENT: (3, 0.1, 4.0),
    Kind.RESTART_AGENT: (1, 0.0, 1.0),
    Kind.FREEZE_AGENT: (1, 1.0, 5.0),
    Kind.POWER_LOSS: (3, 0.5, 3.0),
    Kind.KILL_BROKER: (2, 0.1, 6.0),
    Kind.KILL_SERVICE: (2, 0.1, 5.0),
    Kind.RESTART_SERVICE: (1, 0.1, 1.0),
    Kind.FREEZE_SERVICE: (2, 1.0, 9.0),
    Kind.AGENT_LINK: (6, 0.5, 9.0),
    Kind.DEVICE_LINK: (4, 0.5, 6.0),
    Kind.SERVICE_LINK: (4, 0.5, 9.0),
    Kind.CLOCK_STEP: (2, 0.0, 0.0),
    Kind.DISK_FULL: (1, 3.0, 15.0),
}
TROUBLES = tuple(trouble for trouble in Trouble if trouble is not Trouble.NONE)
OFFSETS_S = (-250.0, -40.0, -4.0, 0.0, 0.0, 4.0, 40.0, 250.0, 420.0)  # the centre refuses what is 10 min ahead
BETWEEN_S = (0.5, 7.0)
REST_S = 2.0  # after a fault its target is left in peace for so long
OUTAGE_S = 600.0


class Fault(msgspec.Struct, frozen=True):
    """At `at_s` after the start, for `for_s` seconds. `amount` is the offset of a clock step, s."""

    at_s: float
    kind: Kind
    target: str
    for_s: float
    trouble: Trouble = Trouble.NONE
    amount: float = 0.0


class Homes(msgspec.Struct, frozen=True):
    """Whom faults may befall: every home, those whose clock can be stepped, those whose disk can be filled."""

    all: Sequence[str]
    clocks: Sequence[str]
    disks: Sequence[str]


def draw_faults(seed: int, length_s: float, homes: Homes) -> list[Fault]:
    """The faults of a run of that length, in order of time; no two befall the same target at once.

    One long outage of the centre's line lies in it, at most a third of the run.
    """
    chance = Random(seed)
    outage = Fault(length_s * 0.3, Kind.OUTAGE, SERVICE, min(OUTAGE_S, length_s / 3), Trouble.CUT)
    faults, free_s, bag, at_s = [outage], dict[str, float](), list[Kind](), 1.0
    while at_s < length_s:
        bag = bag or _bag(chance, homes)
        fault = _fault(chance, bag.pop(), at_s, homes)
        ends_s = fault.at_s + fault.for_s
        touches_outage = fault.kind is Kind.SERVICE_LINK and fault.at_s < outage.at_s + outage.for_s + REST_S
        if touches_outage and ends_s + REST_S > outage.at_s:
            continue
        if ends_s < length_s and fault.at_s >= free_s.get(_victim(fault), 0.0):
            faults.append(fault)
            free_s[_victim(fault)] = ends_s + REST_S
        at_s += chance.uniform(*BETWEEN_S)
    return sorted(faults, key=lambda fault: fault.at_s)


def _bag(chance: Random, homes: Homes) -> list[Kind]:
    possible = {
        kind: count
        for kind, (count, _, _) in ROUND.items()
        if (kind is not Kind.CLOCK_STEP or homes.clocks) and (kind is not Kind.DISK_FULL or homes.disks)
    }
    bag = [kind for kind, count in possible.items() for _ in range(count)]
    chance.shuffle(bag)
    return bag


def _fault(chance: Random, kind: Kind, at_s: float, homes: Homes) -> Fault:
    _, least_s, most_s = ROUND[kind]
    has_trouble = kind in (Kind.AGENT_LINK, Kind.DEVICE_LINK, Kind.SERVICE_LINK)
    return Fault(
        at_s,
        kind,
        chance.choice(_targets(kind, homes)),
        chance.uniform(least_s, most_s),
        chance.choice(TROUBLES) if has_trouble else Trouble.NONE,
        chance.choice(OFFSETS_S) + chance.uniform(-0.5, 0.5) if kind is Kind.CLOCK_STEP else 0.0,
    )


def _targets(kind: Kind, homes: Homes) -> Sequence[str]:
    match kind:
        case Kind.KILL_BROKER:
            return (BROKER,)
        case Kind.KILL_SERVICE | Kind.RESTART_SERVICE | Kind.FREEZE_SERVICE | Kind.SERVICE_LINK:
            return (SERVICE,)
        case Kind.CLOCK_STEP:
            return homes.clocks
        case Kind.DISK_FULL:
            return homes.disks
        case _:
            return homes.all


def _victim(fault: Fault) -> str:
    """What must not suffer twice at once: a process, or a line of one."""
    is_line = fault.kind in (Kind.AGENT_LINK, Kind.DEVICE_LINK, Kind.SERVICE_LINK, Kind.DISK_FULL, Kind.CLOCK_STEP)
    return f"{fault.kind} {fault.target}" if is_line else fault.target
