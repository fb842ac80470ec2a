"""The compliance page in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from ingest_service.config import Http
from tests.support.browser import chromium, opened, picture, served
from tests.support.city import small_city

PAGE = "/homes/beishan/furnaces/furnace-1/compliance"


@pytest.mark.parametrize(("width", "locale"), [(360, "zh-CN"), (1280, "en-GB")])
def test_cause_action_and_a_mark_are_entered_and_the_report_opens(tmp_path: Path, width: int, locale: str) -> None:
    with (
        small_city(tmp_path / "city", Http(port=0)) as city,
        served(city) as address,
        chromium() as browser,
        opened(browser, address, width=width, locale=locale) as observed,
    ):
        page = observed.page
        page.goto(PAGE)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#exceedances summary").click()
        page.locator("#exceedances label", has=page.locator("input[value=control_equipment]")).click()
        page.locator("#exceedances input[name=action]").fill("石灰已补充")
        page.locator("#exceedances button").click()
        expect(page.locator("#exceedances")).to_contain_text("石灰已补充")
        page.locator(".act.new > summary").click()
        page.locator(".act.new label", has=page.locator("input[value=calibration]")).click()
        page.locator(".act.new input[name=start]").fill("2026-03-10T08:00")
        page.locator(".act.new input[name=end]").fill("2026-03-10T09:00")
        page.locator(".act.new input[name=reason]").fill("量程校准")
        picture(page, tmp_path, "marking")
        page.locator(".act.new button").click()
        expect(page.locator("#marks article")).to_have_count(1)
        expect(page.locator(".calendar td[data-marked]")).to_have_count(1)
        page.locator(".calendar th a").last.click()
        expect(page.locator("#exceedances td.flag-doubt")).to_have_count(0)
        expect(page.locator("#verdicts .flag-over")).to_have_count(1)
        assert page.locator("h1").evaluate("(one) => getComputedStyle(one).lineHeight") != "normal", "its style holds"
        assert observed.troubles == []
