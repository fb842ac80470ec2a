"""The plant that faults befall: three homes, a broker and the service, with a line that can fail between any two."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import msgspec

from edge_agent.outbox import read_state
from tests.chaos.accounts import ANSWER_S
from tests.chaos.observer import Observer
from tests.chaos.power import cut_power
from tests.chaos.schedule import Fault, Homes, Kind
from tests.chaos.tap import Deliveries, ModbusTap, counter_address
from tests.support.broker import Mosquitto, free_port
from tests.support.plant import Service, Wiring, agent, furnaces, write_site
from tests.support.program import Program
from tests.support.proxy import Proxies, Proxy, Trouble, proxies

HOMES = {"first": (1, 2), "clock": (3, 4), "disk": (5, 6)}
KEEPALIVE_S = 5
SMALL_DISK_MB = 48
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
SETTLE_BROKER_S = 0.4


class Home(msgspec.Struct):
    """One home: its agent, its lines, its files. `clock` holds the offset of its clock where that can be stepped."""

    name: str
    agent: Program
    to_broker: Proxy
    to_furnaces: Proxy
    outbox: Path
    clock: Path | None


class World:
    """Everything by name, and what can be done to it. Actions return at once unless they say otherwise."""

    def __init__(self, folder: Path, lines: Proxies, chance: Random) -> None:
        self.folder, self._chance = folder, chance
        self.deliveries: Deliveries = {}
        self.read_log = folder / "reads.jsonl"
        self.broker = Mosquitto(folder, free_port(), ["max_queued_messages 100000"])
        self.broker.start()
        self.observer = Observer(self.broker.port)
        self.to_service = lines.line(self.broker.port)
        self.service = Service(folder, self.to_service.port)
        self.furnaces = furnaces(folder, max(max(numbers) for numbers in HOMES.values()), port := free_port())
        self.furnaces.start()
        self.furnaces.wait_for("listening on")
        self._register = counter_address()
        self.homes = {name: self._home(name, lines, port) for name in HOMES}

    @property
    def victims(self) -> Homes:
        """Whom faults may befall here."""
        clocks = tuple(name for name, home in self.homes.items() if home.clock is not None)
        return Homes(tuple(self.homes), clocks, ("disk",) if _has_small_disk(self.folder) else ())

    @property
    def impossible(self) -> list[str]:
        """What is left out here, and why."""
        homes = self.victims
        clocks = [] if homes.clocks else ["left out: clock steps (libfaketime is not installed)"]
        return clocks + ([] if homes.disks else ["left out: full disks (only root can mount a small file system)"])

    def begin(self, fault: Fault) -> None:
        """Let a fault begin. A power loss takes a moment."""
        home = self.homes.get(fault.target)
        match fault.kind:
            case Kind.KILL_AGENT | Kind.POWER_LOSS if home is not None:
                home.agent.kill()
                if fault.kind is Kind.POWER_LOSS:
                    self._lose_power(home)
            case Kind.RESTART_AGENT if home is not None:
                home.agent.stop()
            case Kind.FREEZE_AGENT if home is not None:
                home.agent.pause()
            case Kind.KILL_BROKER:
                self.broker.kill()
            case Kind.KILL_SERVICE:
                self.service.program.kill()
            case Kind.RESTART_SERVICE:
                self.service.program.stop()
            case Kind.FREEZE_SERVICE:
                self.service.program.pause()
            case Kind.CLOCK_STEP if home is not None and home.clock is not None:
                step_clock(home.clock, fault.amount)
            case Kind.DISK_FULL:
                fill_disk(self.homes[fault.target].outbox.parent)
            case _:
                self._line(fault).suffer(fault.trouble)

    def end(self, fault: Fault) -> None:
        """Let a fault end: what was down is started again."""
        home = self.homes.get(fault.target)
        match fault.kind:
            case Kind.KILL_AGENT | Kind.POWER_LOSS | Kind.RESTART_AGENT if home is not None:
                home.agent.start()
            case Kind.FREEZE_AGENT if home is not None:
                home.agent.resume()
            case Kind.KILL_BROKER:
                self.broker.start()
            case Kind.KILL_SERVICE | Kind.RESTART_SERVICE:
                self.service.program.start()
            case Kind.FREEZE_SERVICE:
                self.service.program.resume()
            case Kind.DISK_FULL:
                free_disk(self.homes[fault.target].outbox.parent)
            case Kind.CLOCK_STEP:
                pass
            case _:
                self._line(fault).suffer(Trouble.NONE)

    def check(self) -> None:
        """Raise RuntimeError when a program has ended that nobody killed."""
        for program in (self.service.program, self.furnaces, *(home.agent for home in self.homes.values())):
            program.check()

    def is_well(self) -> bool:
        """Whether the service says that it does its work. Raises RuntimeError when a program has ended by itself."""
        self.check()
        return self.service.ready()

    def shown(self, home: str, furnace: int) -> float:
        """The scan counter that the service shows for a furnace; 0 where it shows none."""
        return self.service.counter(home, str(furnace))

    def waiting(self) -> dict[str, int]:
        """Blocks and gap records that still lie in outboxes, by home; homes that have none are left out."""
        states = {name: read_state(home.outbox) for name, home in self.homes.items()}
        return {name: left for name, state in states.items() if (left := state.blocks + state.gaps_waiting)}

    def close(self) -> None:
        """End everything that still runs."""
        self.observer.close()
        for program in (self.service.program, self.furnaces, *(home.agent for home in self.homes.values())):
            program.kill()
        self.service.http.close()
        self.broker.kill()

    def _home(self, name: str, lines: Proxies, furnaces_port: int) -> Home:
        to_broker = lines.line(self.broker.port)
        to_furnaces = lines.line(furnaces_port, lambda: ModbusTap(self.deliveries, self._register))
        clock = self.folder / "clock.offset" if name == "clock" and FAKETIME else None
        outbox = (self.folder / "disk" if name == "disk" else self.folder) / f"{name}.outbox"
        wiring = Wiring(
            broker=to_broker.port,
            modbus=to_furnaces.port,
            keepalive_s=KEEPALIVE_S,
            timeout_s=ANSWER_S,
            outbox=outbox,
        )
        site = write_site(self.folder, name, wiring, HOMES[name])
        program = agent(self.folder, site, _clock_settings(clock) if clock else None)
        return Home(name, program, to_broker, to_furnaces, outbox, clock)

    def _line(self, fault: Fault) -> Proxy:
        if fault.kind in (Kind.SERVICE_LINK, Kind.OUTAGE):
            return self.to_service
        home = self.homes[fault.target]
        return home.to_broker if fault.kind is Kind.AGENT_LINK else home.to_furnaces

    def _lose_power(self, home: Home) -> None:
        """Nothing is said in farewell; what the broker got until then, the observer knows before the file is cut."""
        home.to_broker.suffer(Trouble.RESET)
        home.to_furnaces.suffer(Trouble.RESET)
        time.sleep(SETTLE_BROKER_S)
        cut_power(home.outbox, lambda epoch, block: self.observer.may_know(home.name, epoch, block), self._chance)


@contextmanager
def world(folder: Path, chance: Random) -> Iterator[World]:
    """A running plant without faults, its agents and its service included."""
    with ExitStack() as stack:
        stack.enter_context(_small_disk(folder))
        made = World(folder, stack.enter_context(proxies()), chance)
        stack.callback(made.close)
        made.service.start()
        for home in made.homes.values():
            home.agent.start()
        yield made


def step_clock(file: Path, offset_s: float) -> None:
    """Set the clock of whoever follows that file so far ahead of ours, in one step."""
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{offset_s:+.3f}\n")
    fresh.replace(file)


def fill_disk(folder: Path) -> None:
    """Leave no byte free there."""
    with (folder / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(65_536)):
                pass
        except OSError:  # full, as it should be
            return


def free_disk(folder: Path) -> None:
    """Give the room back."""
    (folder / "filler").unlink(missing_ok=True)


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """A file system of a few megabytes in the folder `disk`, where we may mount one; else a plain folder."""
    disk = folder / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "tmpfs", str(disk)]
    mounted = os.geteuid() == 0 and subprocess.run(words, check=False, capture_output=True).returncode == 0
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _has_small_disk(folder: Path) -> bool:
    return (folder / "disk").is_mount()


def _clock_settings(clock: Path) -> dict[str, str]:
    """What makes a program take its wall clock from a file; its monotonic clock stays right."""
    step_clock(clock, 0.0)
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
