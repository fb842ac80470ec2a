"""Three services on one broker, each for its own homes, with one store: the shipped files; a home is moved."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingest_service.config_file import load_config
from tests.support.broker import Mosquitto, free_port
from tests.support.entering import enter_first, first_password
from tests.support.plant import COUNTER, Wiring, agent, furnaces, write_site
from tests.support.program import Program, product
from tests.support.victoria import VictoriaMetrics
from tests.support.waiting import wait_until

SHIPPED = Path(__file__).parents[2] / "deploy/workers"
HOMES = {1: {"donghu", "qingshan"}, 2: {"beiling"}, 3: {"songhe"}}


class Worker:
    """One service by its shipped file, on ports of the test."""

    def __init__(self, folder: Path, number: int, broker: int, store: str) -> None:
        self.file, self.port = folder / f"worker-{number}.toml", free_port()
        text = (SHIPPED / self.file.name).read_text(encoding="utf-8")
        text = text.replace("port = 1883", f"port = {broker}").replace(f"port = 808{number}", f"port = {self.port}")
        text = text.replace("http://127.0.0.1:8428", store).replace("shared = true", "shared = true\nhold_s = 0.3")
        self.file.write_text(text, encoding="utf-8")
        self.program = product(folder, f"worker-{number}", "ingest-service", "serve", str(self.file))
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)

    def enter(self) -> None:
        """Sign in as the administrator whom the first start made."""
        enter_first(self.http, "admin", first_password(self.program.log()), "herons over the lime store")

    def ready(self) -> bool:
        self.program.check()
        try:
            return self.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def homes(self) -> set[str]:
        return {home["id"] for home in self.get("/api/v1/homes").json()}

    def hears(self, *homes: str) -> None:
        """Stop it, and let it hear these homes when it is started again."""
        self.program.stop()
        topics = ", ".join(f'"spBv1.0/{home}/#"' for home in homes)
        self.file.write_text(re.sub(r"topics = .*", f"topics = [{topics}]", self.file.read_text(encoding="utf-8")))

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path, free_port(), ())
    made.start()
    yield made
    made.kill()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    made = VictoriaMetrics(tmp_path / "victoria")
    made.start()
    yield made
    made.kill()


def counters(store: VictoriaMetrics) -> dict[str, list[int]]:
    """Every counter value of every home, in order of time."""
    store.flush()
    found = httpx.get(f"{store.url}/api/v1/export", params={"match[]": f"sample_{COUNTER}"}).text.splitlines()
    rows = [httpx.Response(200, text=line).json() for line in found]
    return {row["metric"]["home"]: [int(value) for value in row["values"]] for row in rows}


@pytest.mark.timeout(500)
def test_each_service_keeps_its_homes_and_a_home_moves_without_loss_or_false_gap(
    tmp_path: Path, broker: Mosquitto, store: VictoriaMetrics
) -> None:
    workers = {number: Worker(tmp_path, number, broker.port, store.url) for number in HOMES}
    modbus = free_port()
    running: list[Program] = [furnaces(tmp_path, 4, modbus)]
    running[0].start()
    running[0].wait_for("listening on")
    for number, home in enumerate([home for homes in HOMES.values() for home in homes], 1):
        site = write_site(tmp_path, home, Wiring(broker=broker.port, modbus=modbus), [number])
        running.append(agent(tmp_path, site))
    try:
        for program in (*(worker.program for worker in workers.values()), *running[1:]):
            program.start()
        wait_until(lambda: all(worker.ready() for worker in workers.values()))
        assert workers[1].get("/api/v1/homes").status_code == 401
        for worker in workers.values():
            worker.enter()
        wait_until(lambda: {number: worker.homes() for number, worker in workers.items()} == HOMES)
        wait_until(lambda: all(let_go(tmp_path, home) > 2 for homes in HOMES.values() for home in homes))
        for number, homes in ((1, ("donghu",)), (2, ("beiling", "qingshan"))):
            workers[number].hears(*homes)
            workers[number].program.start()
        wait_until(lambda: workers[1].ready() and workers[2].ready())
        wait_until(lambda: workers[2].homes() == {"beiling", "qingshan"})
        wait_until(lambda: min(len(values) for values in counters(store).values()) > 12)
        before = let_go(tmp_path, "qingshan")
        wait_until(lambda: let_go(tmp_path, "qingshan") > before + 2)
        wait_until(lambda: whole(counters(store)))
        assert set(counters(store)) == {home for homes in HOMES.values() for home in homes}
        assert '"event": "edge_taken_over"' in workers[2].program.log()
        assert workers[2].get("/data?lang=en").text.count("lost by the centre") == 0
    finally:
        for program in (*running, *(worker.program for worker in workers.values())):
            program.kill()
        for worker in workers.values():
            worker.http.close()


def let_go(folder: Path, home: str) -> int:
    """How many blocks the edge of a home has let go since its start, because they were acknowledged."""
    file = folder / f"{home}.status.json"
    blocks: int = json.loads(file.read_text())["blocks_acknowledged"] if file.exists() else 0
    return blocks


def whole(found: dict[str, list[int]]) -> bool:
    """Whether no counter value is missing, double or out of order; the newest may still be on their way."""
    return all(values == list(range(values[0], values[0] + len(values))) for values in found.values())


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_shipped_file_is_read_and_no_two_hear_the_same_home(number: int) -> None:
    files = [load_config(SHIPPED / f"worker-{one}.toml") for one in (1, 2, 3)]
    mine = files.pop(number - 1)
    assert mine.storage.shared
    assert {topic for one in files for topic in one.broker.topics}.isdisjoint(mine.broker.topics)
    assert mine.broker.host_id not in {one.broker.host_id for one in files}
