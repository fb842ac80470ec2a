"""The pages of people, keys and tree: what they do, and that nobody reaches beyond their own part of the tree."""

import re
from base64 import b64encode
from collections.abc import Iterator

import httpx
import pytest

from ingest_service.audit.entry import Action
from ingest_service.config import Config, Http
from ingest_service.people.decision import Admission
from ingest_service.people.nodes import Node
from ingest_service.people.roles import KeyUse, Role
from ingest_service.people.tree import Tree
from ingest_service.store.doing import Doing
from ingest_service.store.organisation import open_people
from tests.support.browser import served
from tests.support.city import City, small_city
from tests.support.entering import enter, enter_first
from tests.support.visitors import machine, visitor

OWN = "herons over the lime store"
PARENTS = {
    "city:jc": "all", "district:north": "city:jc", "district:east": "city:jc", "home:beishan": "district:north",
    "home:donghu": "district:east",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, str]]:
    """Nanping has announced itself and waits."""
    with small_city(tmp_path_factory.mktemp("site")) as city:
        city.config = Config(http=Http(port=0))
        city.people = open_people(city.engine, city.trail, Admission.LISTED)
        city.people.tree.apply(Tree(Node(id=node, parent_id=up) for node, up in PARENTS.items()), doing(city))
        with served(city) as address:
            yield city, address


def doing(city: City) -> Doing:
    return Doing("the test", "", city.now_ms)


class Admin:
    """An administrator at a node, with their browser."""

    def __init__(self, site: tuple[City, str], node: str) -> None:
        self.city = site[0]
        self.http = httpx.Client(base_url=site[1], timeout=60, headers={"Accept-Language": "en"})
        self.http.headers["Cookie"] = f"session={visitor(self.city, Role.ADMIN, node)}"

    def send(self, url: str, **form: object) -> httpx.Response:
        return self.http.post(url, data=form)

    def page(self, url: str) -> str:
        answer = self.http.get(url)
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def root(site: tuple[City, str]) -> Iterator[Admin]:
    made = Admin(site, "all")
    yield made
    made.http.close()


@pytest.fixture
def north(site: tuple[City, str]) -> Iterator[Admin]:
    made = Admin(site, "district:north")
    yield made
    made.http.close()


def someone(city: City, role: Role, *nodes: str) -> int:
    visitor(city, role, *nodes)
    return max(person.id for person in city.people.people.people())


def secret_in(html: str) -> str:
    found = re.search(r'class="secret">([^<]+)<', html)
    assert found
    return found[1]


def test_a_person_who_was_added_signs_in_with_the_password_that_was_shown_once(root: Admin) -> None:
    answer = root.send("/people/add", account="Wang", name="王建国", role="engineer", node="home:beishan")
    password = secret_in(answer.text)
    assert password not in root.page("/people")
    with httpx.Client(base_url=root.http.base_url, timeout=60) as browser:
        enter_first(browser, "wang", password, OWN)
        assert [home["id"] for home in browser.get("/api/v1/homes").json()] == ["beishan"]


def test_the_keys_of_a_machine_outlive_a_new_password_of_who_made_them(root: Admin) -> None:
    made = root.send("/people/add", account="maker", name="Maker", role="admin", node="home:beishan")
    with httpx.Client(base_url=root.http.base_url, timeout=60) as browser:
        given = secret_in(made.text)
        enter(browser, "maker", given)
        form = {"name": "meter", "node": "home:beishan", "use": "read"}
        assert browser.post("/keys/add", data=form).headers["location"] == "/account/password", "none before that"
        enter_first(browser, "maker", given, OWN)
        key = secret_in(browser.post("/keys/add", data=form).text)
    person = next(one.id for one in root.city.people.people.people() if one.account == "maker")
    assert root.send(f"/people/{person}/reset").status_code == 200
    with httpx.Client(base_url=root.http.base_url, headers={"Authorization": f"Bearer {key}"}) as program:
        assert [home["id"] for home in program.get("/api/v1/homes").json()] == ["beishan"]


def test_an_account_is_made_once(root: Admin) -> None:
    form = {"account": "twice", "name": "x", "role": "viewer", "node": "all"}
    assert root.send("/people/add", **form).status_code == 200
    assert root.send("/people/add", **form).status_code == 422


def test_a_grant_that_is_withdrawn_is_felt_at_the_next_request(root: Admin) -> None:
    city = root.city
    session = {"Cookie": f"session={visitor(city, Role.VIEWER, 'home:donghu')}"}
    person = max(one.id for one in city.people.people.people())
    assert root.http.get("/api/v1/homes/donghu", headers=session).status_code == 200
    grant = city.people.people.grants(person)[0].id
    assert root.send(f"/people/{person}/revoke", grant=grant).status_code == 303
    assert root.http.get("/api/v1/homes/donghu", headers=session).status_code == 403
    root.send(f"/people/{person}/grant", role="viewer", node="home:donghu")
    assert root.http.get("/api/v1/homes/donghu", headers=session).status_code == 200


def test_an_administrator_sees_only_people_whose_every_role_lies_below_their_own(north: Admin) -> None:
    inside = someone(north.city, Role.VIEWER, "home:beishan")
    beyond = someone(north.city, Role.VIEWER, "home:beishan", "home:donghu")
    without = someone(north.city, Role.VIEWER)
    html = north.page("/people")
    assert f'id="person-{inside}"' in html
    assert f'id="person-{beyond}"' not in html
    assert f'id="person-{without}"' not in html


@pytest.mark.parametrize("action", ["reset", "disable", "enable"])
@pytest.mark.parametrize("nodes", [("all",), ("home:donghu",), ("home:beishan", "home:donghu"), ()])
def test_nobody_takes_over_an_account_that_reaches_beyond_their_own(
    north: Admin, action: str, nodes: tuple[str, ...]
) -> None:
    person = someone(north.city, Role.ADMIN, *nodes)
    before = north.city.people.people.person_of(person)
    assert north.send(f"/people/{person}/{action}").status_code == 404
    assert north.city.people.people.person_of(person) == before


@pytest.mark.parametrize("node", ["all", "city:jc", "district:east", "home:donghu", "home:nowhere"])
def test_nobody_grants_beyond_their_own_node(north: Admin, node: str) -> None:
    person = someone(north.city, Role.VIEWER, "home:beishan")
    assert north.send(f"/people/{person}/grant", role="viewer", node=node).status_code == 404
    form = {"account": "beyond", "name": "x", "role": "viewer", "node": node}
    assert north.send("/people/add", **form).status_code == 404
    assert north.send("/keys/add", name="x", node=node, use="read").status_code == 404


def test_nobody_takes_their_own_rights_away(root: Admin) -> None:
    mine = max(one.id for one in root.city.people.people.people())
    grant = root.city.people.people.grants(mine)[0].id
    assert root.send(f"/people/{mine}/revoke", grant=grant).status_code == 422
    assert root.send(f"/people/{mine}/disable").status_code == 422


def test_a_role_at_a_furnace_is_refused(root: Admin) -> None:
    root.city.people.tree.put([Node(id="furnace:beishan/one", parent_id="home:beishan")], doing(root.city))
    root.city.people.directory.forget()
    person = someone(root.city, Role.VIEWER)
    assert root.send(f"/people/{person}/grant", role="viewer", node="furnace:beishan/one").status_code == 422


def test_a_key_is_shown_once_opens_until_it_is_revoked_and_tells_its_last_use(root: Admin) -> None:
    text = secret_in(root.send("/keys/add", name="grafana", node="home:donghu", use="grafana", days=30).text)
    prefix = text.split("_")[1]
    bearer = {"Authorization": f"Bearer {text}", "Cookie": ""}
    assert [home["id"] for home in root.http.get("/api/v1/homes", headers=bearer).json()] == ["donghu"]
    html = root.page("/keys")
    assert text not in html
    assert prefix in html
    assert root.city.people.keys.find(text).used_ms == root.city.now_ms  # type: ignore[union-attr]
    assert root.send(f"/keys/{prefix}/revoke").status_code == 303
    assert root.http.get("/api/v1/homes", headers=bearer).status_code == 401


@pytest.mark.parametrize("form", ["Bearer {0}", "Token {0}", "Basic {1}"])
def test_a_key_may_come_as_grafana_sends_it(root: Admin, form: str) -> None:
    text = machine(root.city, "home:donghu", KeyUse.GRAFANA)
    given = form.format(text, b64encode(f"grafana:{text}".encode()).decode())
    assert root.http.get("/api/v1/homes", headers={"Authorization": given}).status_code == 200


@pytest.mark.parametrize("given", ["Bearer x", "Bearer csk_000000000000_x", "Basic ====", "Basic eDp5", "Digest x"])
def test_a_key_that_is_none_opens_nothing_even_beside_a_session(root: Admin, given: str) -> None:
    assert root.http.get("/api/v1/homes", headers={"Authorization": given}).status_code == 401


def test_a_key_of_the_right_prefix_with_another_secret_opens_nothing(root: Admin) -> None:
    text = machine(root.city, "all", KeyUse.READ)
    wrong = {"Authorization": f"Bearer {text[:-1]}{'A' if text[-1] != 'A' else 'B'}"}
    assert root.http.get("/api/v1/homes", headers=wrong).status_code == 401


def test_a_key_ends_on_its_day(root: Admin) -> None:
    text = secret_in(root.send("/keys/add", name="short", node="all", use="read", days=1).text)
    bearer = {"Authorization": f"Bearer {text}"}
    assert root.http.get("/api/v1/homes", headers=bearer).status_code == 200
    begun_ms = root.city.now_ms
    root.city.now_ms += 86_400_000
    try:
        assert root.http.get("/api/v1/homes", headers=bearer).status_code == 401
    finally:
        root.city.now_ms = begun_ms


def test_a_home_that_waits_is_seen_by_nobody_until_it_is_admitted(root: Admin) -> None:
    assert root.http.get("/api/v1/homes/nanping").status_code == 404
    assert "Nanping Funeral Home" in root.page("/tree")
    assert root.send("/tree/admit", home="nanping", parent="district:north").status_code == 303
    assert root.http.get("/api/v1/homes/nanping").status_code == 200
    assert root.city.trail.newest(limit=1)[0].entry.action == Action.EDGE_ADMITTED
    assert root.send("/tree/remove", node="home:nanping").status_code == 303
    assert root.http.get("/api/v1/homes/nanping").status_code == 404


def test_a_home_that_waits_is_no_matter_of_an_administrator_further_down(north: Admin) -> None:
    assert "Nanping" not in north.page("/tree")
    assert north.send("/tree/admit", home="nanping", parent="district:north").status_code == 404
    form = {"kind": "home", "name": "nanping", "parent": "district:north"}
    assert north.send("/tree/add", **form).status_code == 404


def test_the_form_of_a_node_is_there_when_it_is_asked_for(root: Admin, north: Admin) -> None:
    assert 'action="/tree/change"' not in root.page("/tree")
    assert 'href="/tree?node=home%3Adonghu#home%3Adonghu"' in root.page("/tree")
    form = root.page("/tree?node=home:donghu")
    assert form.count('action="/tree/change"') == 1
    assert '<input type="hidden" name="node" value="home:donghu">' in form
    assert 'action="/tree/change"' not in root.page("/tree?node=all")
    assert 'action="/tree/change"' not in north.page("/tree?node=home:donghu")


def test_a_home_moves_with_all_its_history_and_who_could_see_it_is_known(root: Admin, north: Admin) -> None:
    assert north.http.get("/api/v1/homes/donghu").status_code == 404
    names = {"name_zh": "东湖殡仪馆", "name_en": "Donghu"}
    moved = root.send("/tree/change", node="home:donghu", parent="district:north", **names)
    assert moved.status_code == 303
    assert north.http.get("/api/v1/alarms/2").status_code == 200, "an alarm of before the move"
    root.send("/tree/change", node="home:donghu", parent="district:east", **names)
    assert north.http.get("/api/v1/homes/donghu").status_code == 404
    places = [place.parent_id for place in root.city.people.tree.places("home:donghu")]
    assert places[-3:] == ["district:east", "district:north", "district:east"]


def test_an_administrator_further_down_moves_nothing_in_or_out(north: Admin) -> None:
    assert north.send("/tree/change", node="home:beishan", parent="district:east").status_code == 404
    assert north.send("/tree/change", node="home:donghu", parent="district:north").status_code == 404
    assert north.send("/tree/remove", node="district:north").status_code == 404
    assert north.send("/tree/remove", node="home:donghu").status_code == 404
    assert "home:donghu" not in north.page("/tree")


@pytest.mark.parametrize(
    ("node", "parent"), [("district:north", "home:beishan"), ("city:jc", "district:north"), ("all", "city:jc")]
)
def test_what_would_be_no_tree_is_refused(root: Admin, node: str, parent: str) -> None:
    assert root.send("/tree/change", node=node, parent=parent).status_code == 422
