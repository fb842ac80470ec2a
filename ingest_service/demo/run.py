"""The demo from start to end."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console

from ingest_service.demo import city
from ingest_service.demo.broker import start_broker
from ingest_service.demo.history import History, written_samples
from ingest_service.demo.processes import Processes, free_port, listens, program, wait_until
from ingest_service.demo.progress import StartProgress
from ingest_service.demo.receiver import WebhookReceiver
from ingest_service.demo.summary import Api, Shown, Summary, any_value, read_statuses, summarise

SETTLE_S = 20.0
STEPS = 6  # of the start: truth, history, furnaces, service, agents, first value
CONFIGURATION = """\
[broker]
port = {broker}

[storage]
folder = "data"

[http]
port = {http}

[people]
sign_in = "off"

[judging]
barometric_pa = 101325.0

[cremations]
stack_area_m2 = 0.2

[[webhook]]
url = "{webhook}"
locale = "zh"
"""


class Ports(msgspec.Struct, frozen=True):
    """The TCP ports that the demo uses on loopback."""

    http: int
    broker: int
    modbus: int
    webhook: int


class Demo:
    """The running demo city in one folder."""

    def __init__(self, folder: Path, http_port: int, console: Console) -> None:
        self.started_s = time.monotonic()
        self.first_value_s = 0.0
        self.history = History(hours=0, samples=0)
        self._folder, self._console = folder, console
        self._ports = Ports(http_port, free_port(), free_port(), free_port())
        self.url = f"http://127.0.0.1:{http_port}"
        self._api = Api(self.url)

    def run(self, seconds: float | None) -> Summary:
        """Start everything, keep it up for so long (for ever, where None; Ctrl-C ends it), and sum up."""
        with Processes(self._folder) as processes, WebhookReceiver(self._ports.webhook) as receiver:
            with StartProgress(self._console, STEPS) as progress:
                sites = self._start(processes, progress)
            self._say("the page signs everyone in who opens it on this machine, with every right")
            self._say(f"[bold]Open {self.url}[/] (Ctrl-C ends it; files and logs are in {self._folder})")
            try:
                self._watch(processes, seconds)
            except KeyboardInterrupt:
                self._say("ending")
            return self._finish(processes, sites, receiver)

    def _start(self, processes: Processes, progress: StartProgress) -> list[str]:
        self._say(start_broker(processes, self._folder, self._ports.broker))
        service = self._folder / "service.toml"
        service.write_text(
            CONFIGURATION.format(
                broker=self._ports.broker,
                http=self._ports.http,
                webhook=f"http://127.0.0.1:{self._ports.webhook}/alarms",
            )
        )
        processes.start("service", *program("ingest-service"), "serve", str(service))
        sites = city.write_sites(self._folder, self._ports.broker, self._ports.modbus)
        self._simulate(processes, sites, progress)
        progress.step("waiting for the service")
        wait_until(self._api.ready, processes, "the service", timeout_s=60)
        progress.step("starting the agents")
        for site in sites:
            status = str(self._status_file(site.stem))
            processes.start(f"agent-{site.stem}", *program("edge-agent"), "run", str(site), "--status-file", status)
        progress.step("waiting for the first value")
        wait_until(lambda: any_value(self._api), processes, "a first value", timeout_s=60)
        self.first_value_s = time.monotonic() - self.started_s
        self._say(f"first value on the page after {self.first_value_s:.1f} s")
        return [site.stem for site in sites]

    def _simulate(self, processes: Processes, sites: list[Path], progress: StartProgress) -> None:
        """Plant the faults, write yesterday into the agents' outboxes, and start the furnaces."""
        common = ("--seed", str(city.SEED), "--always-burning")
        truth = self._folder / "truth.jsonl"
        now_ms = time.time_ns() // 1_000_000
        hours = city.history_hours(now_ms)
        history = f"{hours}h"
        progress.step("drawing up the cremations since yesterday morning")
        past = ("--history", history, "--furnaces", str(city.FURNACES), "--truth", str(truth))
        processes.start("truth", *program("edge-agent"), "simulate", *common, *past)
        processes.finish("truth")
        faults = city.faults(truth, now_ms)
        progress.step(f"writing the last {history} of {city.FURNACES} furnaces into the agents' outboxes")
        logs = []
        for site in sites:
            mine = [f"--fault={fault}" for fault in faults if city.fault_belongs(fault, site)]
            name = f"history-{site.stem}"
            command = (*program("edge-agent"), "simulate", *common, "--history", history, "--site", str(site), *mine)
            logs.append(processes.start(name, *command))
        for site in sites:
            processes.finish(f"history-{site.stem}")
        self.history = History(hours, sum(map(written_samples, logs)))
        progress.step("starting the furnaces")
        port = ("--furnaces", str(city.FURNACES), "--port", str(self._ports.modbus))
        planted = [f"--fault={fault}" for fault in faults]
        processes.start("furnaces", *program("edge-agent"), "simulate", *common, *port, *planted)
        wait_until(lambda: listens(self._ports.modbus), processes, "the furnaces", timeout_s=30)

    def _watch(self, processes: Processes, seconds: float | None) -> None:
        """Tell of every new alarm; acknowledge yesterday's, so that one finished alarm is there to look at."""
        told: set[int] = set()
        until_s = None if seconds is None else time.monotonic() + seconds
        while until_s is None or time.monotonic() < until_s:
            processes.check()
            for alarm in self._api.get("/alarms", state="all"):
                if alarm["id"] not in told:
                    told.add(alarm["id"])
                    self._say(f"alarm {alarm['id']}: {alarm['what_en']} / {alarm['what_zh']}")
                if alarm["kind"] == "exceedance" and alarm["acknowledged_at_ms"] is None:
                    self._api.acknowledge(alarm["id"], "lime feeder was empty, refilled")
            time.sleep(1.0)

    def _finish(self, processes: Processes, sites: list[str], receiver: WebhookReceiver) -> Summary:
        """Stop the furnaces, let the agents drain, sum up."""
        files = [self._status_file(site) for site in sites]
        stopped_ms = time.time_ns() // 1_000_000
        if processes.runs("furnaces"):
            processes.stop("furnaces")
        self._drain(lambda: all(status.blocks_pending == 0 for status in read_statuses(files)))
        for site in sites:
            if processes.runs(f"agent-{site}"):
                processes.stop(f"agent-{site}")
        now_ms, statuses = time.time_ns() // 1_000_000, read_statuses(files)
        shown = Shown(receiver.received, self.first_value_s, self.history, stopped_ms)
        return summarise(self._api, statuses, now_ms, shown)

    def _drain(self, drained: Callable[[], bool]) -> None:
        until_s = time.monotonic() + SETTLE_S
        while not drained() and time.monotonic() < until_s:
            time.sleep(0.2)

    def _status_file(self, site: str) -> Path:
        return self._folder / f"{site}.status.json"

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
