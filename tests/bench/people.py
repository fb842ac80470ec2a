"""How long signing in takes, and what the cut to a reader's part of the tree costs on the busiest reads."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from edge_agent.wire.birth import Birth
from ingest_service.config import Config, Http
from ingest_service.people.hashing import hash_password
from ingest_service.people.nodes import Node, home_node_id
from ingest_service.people.roles import Role
from ingest_service.people.tree import Tree
from ingest_service.store.doing import Doing
from tests.bench.machine import machine
from tests.support.browser import served
from tests.support.city import NOW_MS, City, add_furnace, empty_city
from tests.support.visitors import visitor

HOMES, FURNACES = 100, 2
PASSWORD, SIGN_INS, READS = "lime feeder refilled", 40, 25
PATHS = {
    "overview page": "/",
    "newest values of a furnace": "/api/v1/homes/home-7/furnaces/furnace-1",
    "furnaces": "/api/v1/furnaces",
}


def main(argv: list[str]) -> None:
    """Print the distributions; the last line is JSON."""
    argparse.ArgumentParser(prog="people").parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory() as folder, empty_city(Path(folder)) as city:
        fill(city)
        doing = Doing("bench", "", NOW_MS)
        person = city.people.people.add("limin", "Li Min", doing)
        city.people.people.set_password(person.id, hash_password(PASSWORD), None, doing)
        everything, cut = visitor(city, Role.VIEWER, "all"), visitor(city, Role.VIEWER, "city:jc")
        city.config = Config(http=Http(port=0))
        with served(city) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            sign_in_ms = sorted(timed(lambda: sign_in(client)) for _ in range(SIGN_INS))
            costs = {name: compare(client, path, everything, cut) for name, path in PATHS.items()}
    p95_ms = sign_in_ms[round(0.95 * (SIGN_INS - 1))]
    print(f"sign-in: median {statistics.median(sign_in_ms):.0f} ms, p95 {p95_ms:.0f} ms, worst {sign_in_ms[-1]:.0f} ms")
    for name, (whole_ms, cut_ms) in costs.items():
        cost = f"{share(whole_ms, cut_ms):+.1f} %"
        print(f"{name}: {whole_ms:.2f} ms with no cut, {cut_ms:.2f} ms cut to {HOMES} homes ({cost})")
    figures = {
        "homes": HOMES,
        "furnaces": HOMES * FURNACES,
        "sign_in_p95_ms": round(p95_ms, 1),
        "cut_costs_pct": {name: round(share(*both), 1) for name, both in costs.items()},
    }
    print(json.dumps(figures))


def fill(city: City) -> None:
    """Homes in ten districts of one city, each with furnaces that report."""
    nodes = [Node(id="city:jc", parent_id="all")]
    nodes += [Node(id=f"district:{number}", parent_id="city:jc") for number in range(10)]
    for number in range(HOMES):
        home = f"home-{number}"
        city.registry.register_node(home, "gateway", Birth(channels=(), attributes={"HomeNameEn": home}), NOW_MS)
        for furnace in range(1, FURNACES + 1):
            add_furnace(city, home, f"furnace-{furnace}", furnace)
        nodes.append(Node(id=home_node_id(home), parent_id=f"district:{number % 10}"))
    city.people.tree.apply(Tree(nodes), Doing("bench", "", NOW_MS))


def sign_in(client: httpx.Client) -> None:
    client.cookies.clear()
    answer = client.post("/sign-in", data={"account": "limin", "password": PASSWORD})
    assert answer.status_code == 303, answer.text


def compare(client: httpx.Client, path: str, everything: str, cut: str) -> tuple[float, float]:
    """The medians of both in time of the processor (client and service are one process), asked for in turns, ms."""
    client.cookies.clear()
    found: dict[str, list[float]] = {everything: [], cut: []}
    for _ in range(READS):
        for session, times in found.items():
            request = client.build_request("GET", path, headers={"Cookie": f"session={session}"})
            times.append(timed(partial(client.send, request), time.process_time))
    return statistics.median(found[everything][2:]), statistics.median(found[cut][2:])


def timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long it took, ms."""
    begun = clock()
    work()
    return (clock() - begun) * 1000


def share(whole_ms: float, cut_ms: float) -> float:
    """What the cut costs, %."""
    return (cut_ms / whole_ms - 1) * 100
