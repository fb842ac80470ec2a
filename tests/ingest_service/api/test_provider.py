"""Signing in through an identity provider, against a real one over HTTP."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import structlog

from ingest_service.config import Config, Http
from ingest_service.people.roles import Role
from ingest_service.people.settings import GroupGrant, People, Provider
from ingest_service.store.doing import Doing
from tests.support.broker import free_port
from tests.support.browser import served
from tests.support.city import City, empty_city, small_city
from tests.support.oidc_provider import CLIENT, FAULTS, SECRET
from tests.support.program import Program

ROOT = Path(__file__).parents[3]
BACK = "/sign-in/provider/back"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    words = [sys.executable, "-m", "tests.support.oidc_provider", str(port)]
    program = Program(tmp_path_factory.mktemp("provider"), "provider", words, {"PYTHONPATH": str(ROOT)})
    program.start()
    program.wait_for("listening")
    yield f"http://127.0.0.1:{port}"
    program.kill()


class Visit:
    """A browser between the service and the provider, which sends it back to an address that stands for the service."""

    def __init__(self, city: City, address: str) -> None:
        self.city, self.browser = city, httpx.Client(base_url=address, timeout=60)

    def leave(self) -> str:
        """Where the service sends the browser."""
        answer = self.browser.get("/sign-in/provider", params={"next": "/alarms"})
        assert answer.status_code == 303
        return answer.headers["location"]

    def sign_in(self, user: str, groups: str = "", fault: str = "") -> httpx.Response:
        there = self.leave() + "&" + urlencode({"as": user, "groups": groups, "fault": fault})
        return self.browser.get(self.back(there))

    def back(self, there: str) -> str:
        """The way back that the provider tells, at the service's address of this test."""
        location = httpx.get(there).headers["location"]
        return f"{BACK}?{location.partition('?')[2]}"

    def roles(self, user: str) -> list[tuple[Role, str]]:
        person = self.city.people.people.person(user)
        assert person is not None
        return [(grant.role, grant.node_id) for grant in self.city.people.people.grants(person.id)]


@pytest.fixture(scope="module")
def visits(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, str]]:
    folder = tmp_path_factory.mktemp("city")
    (folder / "secret").write_text(f"{SECRET}\n")
    provider = Provider(
        issuer=issuer,
        client_id=CLIENT,
        client_secret_file=str(folder / "secret"),
        redirect_url=f"https://clearstack.example{BACK}",
        grant=(
            GroupGrant(group="donghu staff", role=Role.ENGINEER, node="home:donghu"),
            GroupGrant(group="bureau", role=Role.AUDITOR),
        ),
    )
    with small_city(folder / "city") as city:
        city.config = Config(http=Http(port=0), people=People(provider=provider))
        city.now_ms = time.time_ns() // 1_000_000  # the provider's tokens bear the time of day
        with served(city) as address:
            yield city, address


@pytest.fixture
def visit(visits: tuple[City, str]) -> Iterator[Visit]:
    made = Visit(*visits)
    yield made
    made.browser.close()


def test_who_the_provider_vouches_for_is_let_in_with_the_grants_of_their_groups(visit: Visit) -> None:
    answer = visit.sign_in("li", groups="donghu staff,something else")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms")
    assert [home["id"] for home in visit.browser.get("/api/v1/homes").json()] == ["donghu"]
    assert visit.browser.get("/api/v1/session").json()["name"] == "Li"


def test_a_group_that_was_left_takes_its_grant_along_and_one_by_hand_stays(visit: Visit) -> None:
    visit.sign_in("wang", groups="donghu staff,bureau")
    person = visit.city.people.people.person("wang")
    assert person is not None
    visit.city.people.people.grant(person.id, Role.VIEWER, "home:nanping", Doing("admin", "", visit.city.now_ms))
    visit.sign_in("wang", groups="bureau")
    assert visit.roles("wang") == [(Role.AUDITOR, "all"), (Role.VIEWER, "home:nanping")]


def test_an_account_of_the_same_name_is_not_taken_over(visit: Visit) -> None:
    people = visit.city.people.people
    own = people.add("zhao", "Zhao", Doing("admin", "", visit.city.now_ms))
    visit.sign_in("zhao", groups="bureau")
    known = people.person("zhao")
    assert known is not None
    assert (known.id, people.grants(own.id)) == (own.id, [])


def test_a_disabled_person_is_not_let_in(visit: Visit) -> None:
    visit.sign_in("chen")
    person = visit.city.people.people.person("chen")
    assert person is not None
    visit.city.people.people.disable(person.id, Doing("admin", "", visit.city.now_ms))
    assert visit.sign_in("chen").headers["location"] == "/sign-in?wrong=provider"


@pytest.mark.parametrize("fault", FAULTS)
def test_an_identity_token_that_is_not_right_lets_nobody_in(visit: Visit, fault: str) -> None:
    answer = visit.sign_in(f"mallory-{fault}", groups="bureau", fault=fault)
    assert answer.headers["location"] == "/sign-in?wrong=provider"
    assert visit.city.people.people.person(f"mallory-{fault}") is None
    assert visit.browser.get("/api/v1/session").status_code == 401


def test_a_way_back_works_once(visit: Visit) -> None:
    there = visit.leave()
    back = visit.back(f"{there}&as=once")
    cookie = {"Cookie": f"sign_in_state={visit.browser.cookies['sign_in_state']}"}
    assert visit.browser.get(back, headers=cookie).headers["location"] == "/alarms"
    assert visit.browser.get(back, headers=cookie).headers["location"] == "/sign-in?wrong=provider"


def test_a_way_back_works_only_in_the_browser_that_began(visit: Visit) -> None:
    back = visit.back(f"{visit.leave()}&as=thief")
    visit.browser.cookies.clear()
    assert visit.browser.get(back).headers["location"] == "/sign-in?wrong=provider"
    assert visit.city.people.people.person("thief") is None


def test_a_code_without_its_verifier_is_worth_nothing(visit: Visit, issuer: str) -> None:
    there = visit.leave()
    code = httpx.get(f"{there}&as=x").headers["location"].partition("code=")[2].partition("&")[0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"https://clearstack.example{BACK}"}
    assert httpx.post(f"{issuer}/token", data=form, auth=(CLIENT, SECRET)).status_code == 400


def test_the_form_offers_the_provider_and_says_when_it_did_not_confirm(visit: Visit) -> None:
    html = visit.browser.get("/sign-in?wrong=provider", headers={"Accept-Language": "en"}).text
    assert 'href="/sign-in/provider?next=/"' in html
    assert "did not confirm who you are" in html


def test_a_provider_that_calls_itself_otherwise_is_not_asked(tmp_path: Path, issuer: str) -> None:
    other = issuer.replace("127.0.0.1", "localhost")
    provider = Provider(issuer=other, client_id=CLIENT, redirect_url=f"http://127.0.0.1{BACK}")
    with empty_city(tmp_path) as city, structlog.testing.capture_logs() as lines:
        city.config = Config(http=Http(port=0), people=People(provider=provider))
        with served(city) as address:
            answer = httpx.get(f"{address}/sign-in/provider")
    assert answer.headers["location"] == "/sign-in?wrong=provider"
    assert f"{other} calls itself {issuer}" in [line.get("problem") for line in lines]


def test_a_provider_that_does_not_answer_is_told_on_the_form(tmp_path: Path) -> None:
    provider = Provider(issuer=f"http://127.0.0.1:{free_port()}", client_id=CLIENT, redirect_url="http://127.0.0.1/")
    with empty_city(tmp_path) as city:
        city.config = Config(http=Http(port=0), people=People(provider=provider))
        with served(city) as address:
            answer = httpx.get(f"{address}/sign-in/provider")
    assert answer.headers["location"] == "/sign-in?wrong=provider"
