"""Signing in and out as a browser does it: passwords, codes, waiting, sessions that end, and what a page leads to."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy.orm import Session

from ingest_service.api.app import create_app
from ingest_service.api.signing_in import TEMPORARY_MS, begin_session
from ingest_service.audit.entry import Action
from ingest_service.config import Config, Http
from ingest_service.people.hashing import hash_password, hash_token
from ingest_service.people.roles import Role
from ingest_service.people.sealing import Sealer
from ingest_service.people.throttle import FREE_FAILURES, FREE_FAILURES_ADDRESS
from ingest_service.people.totp import code_at, secret_of
from ingest_service.store.doing import Doing
from ingest_service.store.people_tables import Person as Row
from ingest_service.store.sessions import How
from tests.support.browser import served
from tests.support.city import City, small_city
from tests.support.entering import enter

PASSWORD, OTHER = "lime feeder refilled", "seven white herons fly"
HASH = hash_password(PASSWORD)
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, str]]:
    with small_city(tmp_path_factory.mktemp("site")) as city:
        city.config = Config(http=Http(port=0))
        with served(city) as address:
            yield city, address


class Person:
    """Someone with an account at Donghu, and their browser."""

    numbers = iter(range(1, 1000))

    def __init__(self, city: City, address: str) -> None:
        self.city, self.account = city, f"person{next(self.numbers)}"
        self.browser = httpx.Client(base_url=address, timeout=60)
        self.id = city.people.people.add(self.account, "李敏", self.doing).id
        city.people.people.set_password(self.id, HASH, None, self.doing)
        city.people.people.grant(self.id, Role.ENGINEER, "home:donghu", self.doing)
        city.people.directory.forget()

    @property
    def doing(self) -> Doing:
        return Doing("the test", "", self.city.now_ms)

    def tries(self, password: str = PASSWORD, code: str = "", **form: str) -> httpx.Response:
        sent = {"account": self.account, "password": password, "code": code, **form}
        return self.browser.post("/sign-in", data=sent, headers={"Accept-Language": "en"})

    @property
    def is_in(self) -> bool:
        return self.browser.get("/api/v1/session").status_code == 200


@pytest.fixture
def person(site: tuple[City, str]) -> Iterator[Person]:
    made = Person(*site)
    yield made
    made.browser.close()


def test_who_signs_in_goes_on_to_what_they_wanted(person: Person) -> None:
    sent = person.browser.get("/homes/donghu?lang=en").headers["location"]
    assert sent == "/sign-in?next=%2Fhomes%2Fdonghu%3Flang%3Den"
    html = person.browser.get(sent).text
    assert 'name="next" value="/homes/donghu?lang=en"' in html
    assert person.tries(next="/homes/donghu?lang=en").headers["location"] == "/homes/donghu?lang=en"
    assert "李敏" in person.browser.get("/homes/donghu").text


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_is_no_password(person: Person) -> None:
    answer = person.tries()
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("session=", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"))
    token = person.browser.cookies["session"]
    kept = person.city.people.sessions.of(person.id)
    assert [row.id for row in kept] == [hash_token(token)]


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_signing_in_leads_to_this_service_only(person: Person, wanted: str) -> None:
    assert person.tries(next=wanted).headers["location"] == "/"


def test_a_wrong_password_and_an_account_that_is_not_there_get_the_same_answer(person: Person) -> None:
    wrong = person.tries("not the password")
    nobody = person.tries(account="nobody at all")
    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert wrong.text.replace(person.account, "") == nobody.text.replace("nobody at all", "")
    assert "Account, password or code is wrong." in wrong.text
    assert not person.is_in


def test_whoever_fails_again_and_again_waits_and_is_let_in_after(person: Person) -> None:
    for _ in range(FREE_FAILURES):
        assert person.tries("wrong").status_code == 401
    waits = person.tries()
    assert waits.status_code == 429
    assert "Try again in 2 s." in waits.text
    person.city.now_ms += 2000
    assert person.tries().status_code == 303
    assert person.is_in


def test_one_address_that_tries_many_accounts_waits(site: tuple[City, str]) -> None:
    city, address = site
    city.now_ms += HOUR_MS
    with httpx.Client(base_url=address, timeout=60) as browser:
        for number in range(FREE_FAILURES_ADDRESS):
            city.people.sessions.failed(f"guess{number}", Doing("nobody", "127.0.0.1", city.now_ms))
        assert browser.post("/sign-in", data={"account": "another", "password": "x"}).status_code == 429
    city.now_ms += HOUR_MS


def test_a_disabled_person_is_not_let_in_and_their_sessions_end(person: Person) -> None:
    person.tries()
    assert person.is_in
    person.city.people.people.disable(person.id, person.doing)
    person.city.people.directory.forget()
    assert not person.is_in
    assert person.tries().status_code == 401


def test_a_password_that_someone_else_set_holds_for_a_week(person: Person) -> None:
    people = person.city.people.people
    people.set_password(person.id, HASH, person.city.now_ms + 1000, person.doing)
    person.tries()
    assert person.browser.get("/account/password").status_code == 200
    person.city.now_ms += 1000
    assert person.browser.get("/account/password").headers["location"].startswith("/sign-in")
    assert person.tries().status_code == 401


def test_a_password_that_someone_else_set_opens_only_the_choice_of_ones_own(person: Person) -> None:
    person.city.people.people.set_password(person.id, HASH, person.city.now_ms + TEMPORARY_MS, person.doing)
    assert person.tries(next="/homes/donghu").headers["location"] == "/homes/donghu"
    assert person.browser.get("/homes/donghu").headers["location"] == "/account/password"
    part = person.browser.get("/alarms", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (403, "/account/password")
    html = person.browser.get("/account/password?lang=en").text
    assert "Someone else knows this password. Choose your own to go on" in html
    assert 'href="/alarms"' not in html
    same = person.browser.post("/account/password", data={"old": PASSWORD, "new": PASSWORD})
    assert (same.status_code, "That is the present password." in same.text) == (422, True)
    done = person.browser.post("/account/password", data={"old": PASSWORD, "new": OTHER})
    assert done.headers["location"] == "/sign-in"
    person.tries(OTHER)
    assert person.browser.get("/homes/donghu").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/homes", "/api/v1/stream", "/api/v1/session", "/query?q=SHOW+DATABASES"])
def test_programs_are_told_in_one_word_that_a_password_is_to_be_chosen(person: Person, path: str) -> None:
    person.city.people.people.set_password(person.id, HASH, person.city.now_ms + TEMPORARY_MS, person.doing)
    person.tries()
    answer = person.browser.get(path)
    assert (answer.status_code, answer.json()["error"]) == (403, "password_due")
    assert "choose your own first" in answer.json()["detail"]


def test_who_has_yet_to_choose_a_password_can_sign_out(person: Person) -> None:
    person.city.people.people.set_password(person.id, HASH, person.city.now_ms + TEMPORARY_MS, person.doing)
    person.tries()
    person.browser.post("/sign-out")
    assert person.browser.get("/account/password").headers["location"].startswith("/sign-in")


def test_who_came_through_the_provider_is_asked_for_no_password(person: Person) -> None:
    city, people = person.city, person.city.people.people
    people.set_password(person.id, HASH, city.now_ms + TEMPORARY_MS, person.doing)
    row = people.person_of(person.id)
    assert row is not None
    person.browser.cookies.set("session", begin_session(city.context(), row, How.PROVIDER, "", ""), domain="127.0.0.1")
    assert person.browser.get("/homes/donghu").status_code == 200


def test_an_unused_session_ends_after_a_shift_and_a_used_one_after_a_week(person: Person) -> None:
    people, begun_ms = person.city.config.people, person.city.now_ms
    person.tries()
    for _ in range(8):
        person.city.now_ms += people.idle_ms - 1
        assert person.is_in
    person.city.now_ms += people.idle_ms
    assert not person.is_in
    person.city.now_ms = begun_ms + 8 * people.idle_ms
    person.tries()
    begun_ms = person.city.now_ms
    for at_ms in range(begun_ms, begun_ms + people.longest_ms, people.idle_ms // 2):
        person.city.now_ms = at_ms
        assert person.is_in
    person.city.now_ms = begun_ms + people.longest_ms
    assert not person.is_in


def test_signing_out_ends_the_session_for_whoever_copied_it(person: Person) -> None:
    person.tries()
    copied = {"Cookie": f"session={person.browser.cookies['session']}"}
    assert person.browser.post("/sign-out").headers["location"] == "/sign-in"
    assert "session" not in person.browser.cookies
    assert person.browser.get("/api/v1/session", headers=copied).status_code == 401


def test_a_new_password_ends_every_session_and_the_old_one_is_asked_for(person: Person) -> None:
    person.tries()
    wrong = person.browser.post("/account/password", data={"old": "x", "new": OTHER}, headers={"Accept-Language": "en"})
    assert (wrong.status_code, "The present password is wrong." in wrong.text) == (422, True)
    weak = person.browser.post("/account/password", data={"old": PASSWORD, "new": "password2026"})
    assert weak.status_code == 422
    done = person.browser.post("/account/password", data={"old": PASSWORD, "new": OTHER})
    assert done.headers["location"] == "/sign-in?next=/account"
    assert not person.is_in
    assert person.tries().status_code == 401
    assert person.tries(OTHER).status_code == 303


def test_codes_are_asked_for_once_an_app_has_shown_one_and_each_is_taken_once(person: Person) -> None:
    person.tries()
    html = person.browser.get("/account").text
    text = html.partition('name="secret" value="')[2].partition('"')[0]
    code = code_at(secret_of(text), person.city.now_ms)
    form = {"secret": text, "old": PASSWORD, "code": code}
    assert person.browser.post("/account/code", data={**form, "code": "000000"}).status_code == 422
    assert person.browser.post("/account/code", data=form).headers["location"] == "/account?notice=code_on"
    assert person.tries().status_code == 401
    assert person.tries(code=code).status_code == 401, "the code was used when it was set up"
    person.city.now_ms += 30_000
    newer = code_at(secret_of(text), person.city.now_ms)
    assert person.tries(code=newer).status_code == 303
    assert person.tries(code=newer).status_code == 401
    assert person.city.people.sessions.of(person.id)[0].how is How.SECOND_FACTOR
    off = person.browser.post("/account/code/off", data={"old": PASSWORD})
    assert off.headers["location"] == "/account?notice=code_off"
    assert person.tries().status_code == 303


def test_codes_under_a_key_that_was_lost_are_told_and_a_reset_lets_the_person_in_again(person: Person) -> None:
    people = person.city.people.people
    with Session(person.city.engine) as session, session.begin():
        session.get_one(Row, person.id).totp_secret = Sealer([b"x" * 32]).seal(b"s" * 20, f"person {person.id}")
    answer = person.tries(code="123456")
    assert (answer.status_code, "Your one-time codes cannot be checked" in answer.text) == (503, True)
    assert person.tries("wrong", code="123456").status_code == 401, "told to nobody else"
    people.ask_no_codes(person.id, person.doing)
    assert person.tries().status_code == 303


def test_a_session_of_a_lost_phone_can_be_ended_from_another_place(person: Person) -> None:
    person.tries()
    with httpx.Client(base_url=person.browser.base_url, timeout=60) as phone:
        enter(phone, person.account, PASSWORD)
        lost = hash_token(phone.cookies["session"])
        assert lost in person.browser.get("/account").text
        person.browser.post("/account/sessions/end", data={"session": lost})
        assert phone.get("/api/v1/session").status_code == 401
    assert person.is_in


def test_nobody_ends_the_session_of_another(person: Person, site: tuple[City, str]) -> None:
    other = Person(*site)
    other.tries()
    person.tries()
    person.browser.post("/account/sessions/end", data={"session": hash_token(other.browser.cookies["session"])})
    assert other.is_in
    other.browser.close()


def test_a_part_of_a_page_that_is_renewed_leads_the_whole_page_to_sign_in(person: Person) -> None:
    answer = person.browser.get("/alarms", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in?next=%2Falarms")


def test_attempts_and_sessions_are_in_the_audit_trail_without_any_secret(person: Person) -> None:
    person.tries("a wrong password")
    person.tries()
    person.browser.post("/sign-out")
    records = [one.entry for one in person.city.trail.newest(limit=3)]
    assert [one.action for one in records] == [Action.SIGNED_OUT, Action.SIGNED_IN, Action.SIGN_IN_REFUSED]
    assert {one.address for one in records} == {"127.0.0.1"}
    assert not any(word in repr(records) for word in (PASSWORD, "a wrong password"))


def test_who_is_signed_in_has_no_use_for_the_form(person: Person) -> None:
    person.tries()
    assert person.browser.get("/sign-in?next=/data").headers["location"] == "/data"


def test_without_a_role_nothing_is_seen_and_it_is_said_why(person: Person) -> None:
    person.city.people.people.revoke(person.city.people.people.grants(person.id)[0].id, person.doing)
    person.tries()
    answer = person.browser.get("/", headers={"Accept-Language": "en"})
    assert answer.status_code == 403
    assert "An administrator can grant you a role that does." in answer.text
    assert "No role yet" in person.browser.get("/account?lang=en").text


def test_readiness_tells_a_stranger_that_something_is_wrong_but_not_what(person: Person) -> None:
    person.city.broker_connected = False
    try:
        checks = {check["name"]: check["problem"] for check in person.browser.get("/readyz").json()["checks"]}
    finally:
        person.city.broker_connected = True
    assert checks["broker"] == "failed"


def test_behind_tls_the_cookie_is_one_that_the_browser_keeps_to_tls_and_this_host(site: tuple[City, str]) -> None:
    app = create_app(site[0].context())
    account = Person(*site)
    account.browser.close()

    async def over_tls() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://clearstack.example") as browser:
            form = {"account": account.account, "password": PASSWORD}
            return await browser.post("/sign-in", data=form), await browser.get("/api/v1/session")

    entered, session = asyncio.run(over_tls())
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert "Secure" in cookie
    assert session.json()["name"] == "李敏"
