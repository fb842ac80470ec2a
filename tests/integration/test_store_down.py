"""The running service while its store is not there: said where people look, nothing acknowledged, nothing lost."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.__main__ import main
from ingest_service.config_file import load_config
from ingest_service.store.channels import read_channels
from ingest_service.store.database import database_url, open_database
from ingest_service.store.opening import open_series_store
from tests.support.broker import Mosquitto, free_port
from tests.support.influx import InfluxDB
from tests.support.plant import COUNTER, Service, Wiring, agent, furnaces, write_site
from tests.support.program import Program
from tests.support.waiting import wait_until

HOME = "songhe"


class Site:
    """One furnace, its agent, a broker, the service, and an InfluxDB that comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Mosquitto(folder, free_port(), ())
        self.influx = InfluxDB(folder / "influx")
        storage = f'folder = "data"\nkind = "influxdb"\nurl = "{self.influx.url}"\ntimeout_s = 2.0'
        self.service = Service(folder, self.broker.port, storage)
        self.config = folder / "service.toml"
        self.modbus = free_port()
        site = write_site(folder, HOME, Wiring(broker=self.broker.port, modbus=self.modbus, counter_s=0.25), [1])
        self.furnaces, self.agent = furnaces(folder, 1, self.modbus), agent(folder, site)

    @property
    def programs(self) -> tuple[Program, ...]:
        return (self.service.program, self.agent, self.furnaces)

    def close(self) -> None:
        for program in self.programs:
            program.kill()
        self.service.http.close()
        self.influx.kill()
        self.broker.kill()

    def problems(self) -> dict[str, str]:
        """What readiness says to be wrong."""
        checks = self.service.http.get("/readyz").json()["checks"]
        return {check["name"]: check["problem"] for check in checks if check["problem"]}

    def counted(self) -> list[int]:
        """Every counter value in the store; no process need hold it."""
        storage = load_config(self.config).storage
        database = open_database(database_url(Path(storage.folder), ""))
        (series,) = [row.series_id for row in read_channels(database).rows if row.channel == COUNTER]
        store = open_series_store(storage, database, str(self.config), lambda: 0)
        found = store.raw([series], 0, 2**42)
        store.close()
        database.dispose()
        return [int(value) for value in found.value if value == value]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.broker.start()
    yield made
    made.close()


def test_a_store_that_is_down_at_the_start_and_later_is_waited_for_and_has_everything_in_the_end(site: Site) -> None:
    for program in (site.furnaces, site.service.program, site.agent):
        program.start()
    wait_until(site.service.alive)
    wait_until(lambda: "cannot be reached" in site.problems().get("writing", ""))
    assert site.problems()["store"] == f"{site.influx.url}: cannot be reached"
    assert "cannot be reached" in site.service.http.get("/data?lang=en").text
    assert site.service.metric("clearstack_ingest_acknowledged_samples_total") == 0
    site.influx.start()
    wait_until(lambda: "database not found" in site.problems().get("writing", ""))
    assert main(["store", "init", str(site.config)]) == 0
    wait_until(site.service.ready)
    wait_until(lambda: site.service.counter(HOME, "1") > 5)

    site.influx.kill()
    wait_until(lambda: "store" in site.problems())
    reached = site.service.metric("clearstack_ingest_samples_received_total")
    wait_until(lambda: site.service.metric("clearstack_ingest_samples_received_total") > reached + 100)
    site.influx.start()
    wait_until(site.service.ready)
    before = site.service.counter(HOME, "1")
    wait_until(lambda: site.service.counter(HOME, "1") > before + 2)

    site.furnaces.stop()
    wait_until(lambda: _is_empty(site))
    site.service.program.stop()
    values = site.counted()
    assert values == list(range(values[0], values[0] + len(values)))
    assert len(values) > 10
    told = site.service.program.log()
    assert told.count('"event": "store_failed"') <= 4  # once a change of state, not once a try
    assert "Traceback" not in told


def _is_empty(site: Site) -> bool:
    """Whether the agent has nothing left that is not acknowledged."""
    pending: int = json.loads((site.folder / f"{HOME}.status.json").read_text())["blocks_pending"]
    return pending == 0
