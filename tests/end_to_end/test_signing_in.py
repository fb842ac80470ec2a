"""Signing in, in a real browser: the form, the reader's own homes, and the end of a session while a page is open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ingest_service.config import Config, Http
from ingest_service.people.hashing import hash_password
from ingest_service.people.roles import Role
from ingest_service.store.doing import Doing
from tests.support.browser import chromium, opened, served
from tests.support.city import City, small_city

PASSWORD = "lime feeder refilled"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """A city where people must sign in, and one who may at Donghu."""
    with small_city(tmp_path) as seeded:
        seeded.config = Config(http=Http(port=0))
        doing = Doing("the test", "", seeded.now_ms)
        person = seeded.people.people.add("limin", "Li Min", doing)
        seeded.people.people.set_password(person.id, hash_password(PASSWORD), None, doing)
        seeded.people.people.grant(person.id, Role.ENGINEER, "home:donghu", doing)
        yield seeded


def test_someone_signs_in_on_a_phone_works_and_is_led_out_when_the_session_is_ended(
    city: City, browser: Browser
) -> None:
    with served(city) as address, opened(browser, address, width=360, locale="en-GB") as observed:
        page = observed.page
        page.goto("/homes/donghu")
        expect(page).to_have_url(f"{address}/sign-in?next=%2Fhomes%2Fdonghu")
        page.get_by_label("Account").fill("limin")
        page.get_by_label("Password").fill("not this one")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("Account, password or code is wrong.")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".reader")).to_have_text("Li Min")
        expect(page).to_have_url(f"{address}/homes/donghu")
        city.measure(city.furnaces[3], {"flue_o2": 7.77})
        expect(page.locator(f'.reading[data-series="{city.furnaces[3].series["flue_o2"]}"] .value')).to_have_text("7.8")
        assert [trouble for trouble in observed.troubles if "401" not in trouble] == []
        person = city.people.people.person("limin")
        assert person is not None
        city.people.people.disable(person.id, Doing("admin", "", city.now_ms))
        expect(page).to_have_url(f"{address}/sign-in?next=%2Fhomes%2Fdonghu", timeout=60_000)
