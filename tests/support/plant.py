"""A whole plant of real processes: furnaces, agents, a broker and the service, on free ports, in one folder."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from tests.support.broker import Mosquitto, free_port
from tests.support.program import Program, product
from tests.support.waiting import PATIENCE_S, wait_until

COUNTER = "scan_counter"
SITE = """\
[site]
home = "{home}"
edge = "gateway"

[broker]
host = "127.0.0.1"
port = {broker}
keepalive_s = {keepalive_s}

[outbox]
path = "{outbox}"

[clock]
synchronisation = "unwatched"

[[connection]]
name = "plc"
host = "127.0.0.1"
port = {modbus}
timeout_s = {timeout_s}
"""
DEVICE = """
[[device]]
name = "furnace-{number}"
furnace = "{number}"
connection = "plc"
unit_id = {number}
profile = "simulator"

[device.channel.scan_counter]
scan_s = {counter_s}
"""
SERVICE = """\
[broker]
port = {broker}
{hears}

[storage]
{storage}

[http]
port = {http}

[people]
sign_in = "off"
"""


def furnaces(folder: Path, numbers: int, port: int, *words: str) -> Program:
    """A simulator of furnaces 1 to `numbers`, whose read log is reads.jsonl."""
    log = folder / "reads.jsonl"
    common = ("--furnaces", str(numbers), "--port", str(port), "--always-burning", "--read-log", str(log))
    return product(folder, "furnaces", "edge-agent", "simulate", *common, *words)


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """Where an agent finds its broker and its furnaces (ports); its outbox lies beside its site file unless told.

    `counter_s` is how often the counter of scans is read (s), for tests that wait for so many of its values. Furnaces
    that answer are given the time for it (s): what is read and given up is a reading that is nowhere.
    """

    broker: int
    modbus: int
    keepalive_s: int = 15
    timeout_s: float = 20.0
    counter_s: float = 1.0
    outbox: Path | None = None


def write_site(folder: Path, home: str, wiring: Wiring, numbers: Sequence[int]) -> Path:
    """The site file of a home with these furnaces."""
    outbox = wiring.outbox or folder / f"{home}.outbox"
    text = SITE.format(
        home=home,
        broker=wiring.broker,
        modbus=wiring.modbus,
        keepalive_s=wiring.keepalive_s,
        timeout_s=wiring.timeout_s,
        outbox=outbox,
    )
    path = folder / f"{home}.toml"
    devices = [DEVICE.format(number=number, counter_s=wiring.counter_s) for number in numbers]
    path.write_text(text + "".join(devices), encoding="utf-8")
    return path


def agent(folder: Path, site: Path, settings: dict[str, str] | None = None) -> Program:
    """The agent of a site; its status file has the site's name."""
    status = site.with_suffix(".status.json")
    words = ("run", str(site), "--status-file", str(status))
    return product(folder, f"agent-{site.stem}", "edge-agent", *words, settings=settings)


class Service:
    """The central service behind HTTP; its data lie in the folder `data`."""

    def __init__(self, folder: Path, broker: int, storage: str = 'folder = "data"', hears: str = "") -> None:
        """`broker` is the port of the broker, or of a line to it.

        `storage` is that part of the configuration, `hears` what more is said of the broker there.
        """
        self.port = free_port()
        self.data = folder / "data"
        self._file = folder / "service.toml"
        text = SERVICE.format(broker=broker, hears=hears, storage=storage, http=self.port)
        self._file.write_text(text, encoding="utf-8")
        self.program = product(folder, "service", "ingest-service", "serve", str(self._file))
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)

    def start(self) -> None:
        """Start it and wait until it says that it does its work."""
        self.program.start()
        wait_until(self.ready)

    def ready(self) -> bool:
        """Whether it says that it does its work. Raises RuntimeError when it has ended."""
        return self._says_ok("/readyz")

    def alive(self) -> bool:
        """Whether it answers at all. Raises RuntimeError when it has ended."""
        return self._says_ok("/healthz")

    def _says_ok(self, path: str) -> bool:
        self.program.check()
        try:
            return self.http.get(path).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def tags(self, home: str, furnace: str) -> dict[str, dict[str, object]]:
        """What a furnace's tags show now, by channel; none while it is unknown."""
        answer = self.http.get(f"/api/v1/homes/{home}/furnaces/{furnace}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        answer.raise_for_status()
        return {tag["channel"]: tag for tag in answer.json()["tags"]}

    def counter(self, home: str, furnace: str) -> float:
        """The newest value of a furnace's scan counter; 0 before the first."""
        value = self.tags(home, furnace).get(COUNTER, {}).get("value")
        return float(value) if isinstance(value, int | float) else 0.0

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self.http.get("/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.partition("{")[0].split(" ")[0] == name)


class Plant:
    """Everything that runs in one folder. What is added is ended with the context, the newest first."""

    def __init__(self, folder: Path, broker: Mosquitto, counter_s: float) -> None:
        self.folder, self.broker, self.counter_s = folder, broker, counter_s
        self.service = Service(folder, broker.port)
        self.agents: dict[str, Program] = {}
        self.furnaces: Program | None = None
        self.modbus_port = free_port()
        self.read_log = folder / "reads.jsonl"

    def light(self, numbers: int, *words: str) -> None:
        """Start furnaces 1 to `numbers`."""
        self.furnaces = furnaces(self.folder, numbers, self.modbus_port, *words)
        self.furnaces.start()
        self.furnaces.wait_for("listening on")

    def add_home(self, home: str, numbers: Sequence[int]) -> Program:
        """Start the agent of a home with these furnaces."""
        wiring = Wiring(broker=self.broker.port, modbus=self.modbus_port, counter_s=self.counter_s)
        site = write_site(self.folder, home, wiring, numbers)
        self.agents[home] = agent(self.folder, site)
        self.agents[home].start()
        return self.agents[home]

    def wait(self, condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
        """Wait until the condition holds. Raises RuntimeError when a program ends by itself meanwhile."""

        def holds() -> bool:
            for program in self._programs:
                program.check()
            return bool(condition())

        wait_until(holds, timeout_s)

    def kill(self) -> None:
        """End all that still runs."""
        for program in self._programs:
            program.kill()
        self.service.http.close()

    @property
    def _programs(self) -> list[Program]:
        return [self.service.program, *self.agents.values(), *([self.furnaces] if self.furnaces else [])]


@contextmanager
def plant(folder: Path, broker_settings: Sequence[str] = (), counter_s: float = 1.0) -> Iterator[Plant]:
    """A plant with a running broker and service, still without furnaces and agents; `counter_s` as in `Wiring`."""
    broker = Mosquitto(folder, free_port(), broker_settings)
    broker.start()
    made = Plant(folder, broker, counter_s)
    try:
        made.service.start()
        yield made
    finally:
        made.kill()
        broker.kill()
