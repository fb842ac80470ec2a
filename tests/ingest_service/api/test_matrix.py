"""Every route and the stream, as every role, from its own node, above it, beside it and elsewhere."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import event

from edge_agent.wire.birth import Birth
from ingest_service.api.app import create_app
from ingest_service.config import Http
from ingest_service.people.decision import Admission
from ingest_service.people.nodes import Node
from ingest_service.people.roles import ON_THE_ROOT, KeyUse, Right, Role
from ingest_service.people.tree import Tree
from ingest_service.store import directory
from ingest_service.store.organisation import open_people
from tests.ingest_service.api.probes import PROBES, Probe, doing
from tests.ingest_service.api.rules import Open, Route, route_table
from tests.support.city import NOW_MS, City, small_city
from tests.support.visitors import machine, newcomer, visitor

ROUTES = route_table()
OWN = (Open.SIGNED_IN, Open.ARRIVING)
WITHOUT_PROBE = {route for route in ROUTES if route.rule is Open.PUBLIC}
# Where a visitor's role is granted, seen from Beishan.
PLACES = {
    "own": "home:beishan",
    "ancestor": "district:north",
    "root": "all",
    "sibling": "home:nanping",
    "foreign": "district:east",
}
REFUSED = (401, 403, 404)
SAID = ("'{name}'", "&#39;{name}&#39;", "alarm {name}", "exceedance {name}", "series {name}")
NAMES = ("beishan", "Beishan", "北山")


class World:
    """The city behind the real application, and a session or key for every kind of visitor."""

    def __init__(self, city: City) -> None:
        city.people = open_people(city.engine, city.trail, Admission.LISTED)
        city.registry.register_node("waiting", "gateway", Birth(channels=(), attributes={}), NOW_MS)
        city.people.tree.apply(organisation(), doing(city))
        city.people.directory.forget()
        city.closing.set()  # a live stream answers, and ends at once
        self.city = city
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app=create_app(city.context()), raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://city.test")
        self._sessions = {(role, place): visitor(city, role, node) for role in Role for place, node in PLACES.items()}
        self._newcomer = newcomer(city, Role.ADMIN, "all")
        self._keys = {(use, place): machine(city, PLACES[place], use) for use in KeyUse for place in ("own", "foreign")}

    def ask(self, route: Route, probe: Probe, headers: dict[str, str]) -> httpx.Response:
        sent: dict[str, Any] = {"json": probe.json, "data": probe.form}
        return self._runner.run(self._client.request(route.method, probe.url, headers=headers, **sent))

    def as_person(self, role: Role, place: str) -> dict[str, str]:
        return {"Cookie": f"session={self._sessions[role, place]}", "Accept-Language": "en"}

    def as_newcomer(self) -> dict[str, str]:
        return {"Cookie": f"session={self._newcomer}", "Accept-Language": "en"}

    def as_machine(self, use: KeyUse, place: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._keys[use, place]}"}

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


def organisation() -> Tree:
    parents = {
        "city:jiangcheng": "all", "district:north": "city:jiangcheng", "district:east": "city:jiangcheng",
        "home:beishan": "district:north", "home:nanping": "district:north", "home:donghu": "district:east",
    }  # fmt: skip
    return Tree(Node(id=node, parent_id=parent) for node, parent in parents.items())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, small_city(tmp_path_factory.mktemp("matrix"), Http(port=0)) as city:
        patch.setattr(directory, "FRESH_S", 3600.0)  # what changes here shows at once all the same
        made = World(city)
        yield made
        made.close()


def test_every_route_states_a_rule_and_has_a_probe() -> None:
    assert [str(route) for route in ROUTES if route.rule is None] == []
    assert {str(route) for route in ROUTES if route not in WITHOUT_PROBE} == set(PROBES)


def test_what_is_open_to_all_is_known_by_name() -> None:
    assert {str(route) for route in WITHOUT_PROBE} == {
        "GET /sign-in", "GET /sign-in/provider", "GET /sign-in/provider/back",
        "POST /sign-in", "POST /sign-out", "GET /static/{version}/{path:path}", "GET /healthz",
        "GET /readyz", "GET /ping", "HEAD /ping", "GET /health",
    }  # fmt: skip


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in WITHOUT_PROBE], ids=str)
def test_a_stranger_is_sent_to_sign_in(world: World, route: Route) -> None:
    answer = world.ask(route, PROBES[str(route)](world.city), {})
    if route.path.startswith(("/api/", "/metrics", "/query")):
        assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, "Bearer")
    else:
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert not any(name in answer.text for name in NAMES)


@pytest.mark.parametrize("route", [route for route in ROUTES if isinstance(route.rule, Right)], ids=str)
def test_a_route_answers_each_role_at_each_place_by_its_rule(world: World, route: Route) -> None:
    for role in Role:
        for place in places_for(route):
            probe = PROBES[str(route)](world.city)
            answer = world.ask(route, probe, world.as_person(role, place))
            check(route, probe, place, answer, holds(route, role.rights, place), f"{role} {place}")


@pytest.mark.parametrize("route", [route for route in ROUTES if isinstance(route.rule, Right)], ids=str)
def test_a_key_opens_what_its_use_says_at_its_node(world: World, route: Route) -> None:
    for use in KeyUse:
        for place in ("own", "foreign"):
            probe = PROBES[str(route)](world.city)
            answer = world.ask(route, probe, world.as_machine(use, place))
            check(route, probe, place, answer, holds(route, use.rights, place), f"{use} {place}")


@pytest.mark.parametrize("route", [route for route in ROUTES if route.rule in OWN], ids=str)
def test_ones_own_account_is_there_for_everyone_who_signed_in(world: World, route: Route) -> None:
    answer = world.ask(route, PROBES[str(route)](world.city), world.as_person(Role.VIEWER, "foreign"))
    assert answer.status_code in (200, 303, 422)
    assert not any(name in answer.text for name in NAMES)


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in WITHOUT_PROBE], ids=str)
def test_whose_password_someone_else_set_can_do_nothing_but_choose_their_own(world: World, route: Route) -> None:
    answer = world.ask(route, PROBES[str(route)](world.city), world.as_newcomer())
    if route.rule is Open.ARRIVING:
        assert answer.status_code in (200, 422)
    elif route.path.startswith(("/api/", "/metrics", "/query")):
        assert (answer.status_code, answer.json()["error"]) == (403, "password_due")
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/password")
    assert not any(name in answer.text for name in NAMES)


def test_only_the_choice_of_a_password_is_there_for_newcomers() -> None:
    assert {str(route) for route in ROUTES if route.rule is Open.ARRIVING} == {
        "GET /account/password", "POST /account/password",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("there", "nowhere"),
    [
        ("/api/v1/homes/beishan", "/api/v1/homes/nowhere"),
        ("/api/v1/homes/beishan/furnaces/furnace-1", "/api/v1/homes/nowhere/furnaces/furnace-1"),
        ("/api/v1/alarms/1", "/api/v1/alarms/999"),
        ("/api/v1/series/1/raw?from=0&to=1", "/api/v1/series/99999/raw?from=0&to=1"),
        ("/api/v1/exceedances/1/remarks", "/api/v1/exceedances/99999/remarks"),
        ("/homes/beishan", "/homes/nowhere"),
        ("/alarms/1", "/alarms/999"),
    ],
)
def test_what_may_not_be_seen_is_looked_for_just_like_what_is_not_there(world: World, there: str, nowhere: str) -> None:
    headers = world.as_person(Role.ENGINEER, "foreign")
    (seen, first), (missing, second) = (statements(world, url, headers) for url in (there, nowhere))
    assert (seen.status_code, missing.status_code) == (404, 404)
    assert first == second, "the same statements in the same order take the same time"
    assert shape(seen.text, there) == shape(missing.text, nowhere)


def places_for(route: Route) -> list[str]:
    """The root is a place of its own only where something is kept for it; it is an ancestor else."""
    kept_for_root = route.rule in ON_THE_ROOT or route.path == "/tree/admit"
    return [place for place in PLACES if place != "root" or kept_for_root]


def holds(route: Route, rights: frozenset[Right], place: str) -> bool:
    """Whether the visitor has the route's right anywhere."""
    return route.rule in rights and (route.rule not in ON_THE_ROOT or place == "root")


def check(route: Route, probe: Probe, place: str, answer: httpx.Response, holds_right: bool, who: str) -> None:
    assert answer.status_code < 500, f"{route} as {who}: {answer.status_code}"
    if not holds_right:
        assert answer.status_code == 403, f"{route} as {who}: {answer.status_code}"
    elif place in probe.holders:
        missing = answer.status_code == 404 and "no minimum temperature" in answer.text  # seen, but none is asked for
        assert missing or answer.status_code not in REFUSED, f"{route} as {who}: {answer.status_code} {answer.text}"
    elif probe.names:
        assert answer.status_code == 404, f"{route} as {who}: {answer.status_code}"
    if place in ("sibling", "foreign") and not probe.names:
        assert not any(name in answer.text for name in NAMES), f"{route} as {who} tells of Beishan"


def statements(world: World, url: str, headers: dict[str, str]) -> tuple[httpx.Response, list[str]]:
    """The answer, and the statements that were executed for it."""
    route, probe = Route("GET", url, None), Probe(url=url)
    world.ask(route, probe, headers)  # so that what is kept for a moment is there
    executed: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        executed.append(statement)

    event.listen(world.city.engine, "before_cursor_execute", hear)
    try:
        return world.ask(route, probe, headers), executed
    finally:
        event.remove(world.city.engine, "before_cursor_execute", hear)


def shape(text: str, url: str) -> str:
    """An answer without what was asked for."""
    path = url.partition("?")[0]
    named = [word for word in path.split("/") if word.isdigit() or word in ("beishan", "nowhere")]
    for word in (path, quote(path, safe=""), *(form.format(name=word) for word in named for form in SAID)):
        text = text.replace(word, "")
    return text
