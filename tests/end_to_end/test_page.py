"""The page in a real browser: live values, a new alarm, its acknowledgement, both languages, phone and desk, dark."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from edge_agent.wire.sample import Reason
from ingest_service.api import stream
from ingest_service.config import Http
from tests.support.browser import chromium, opened, picture, served
from tests.support.city import NOW_MS, City, empty_city, small_city, stuck
from tests.support.country import settle

FURNACE = "/homes/beishan/furnaces/furnace-1"
PAGES = {
    "city": "/",
    "home": "/homes/beishan",
    "furnace": FURNACE,
    "alarms": "/alarms",
    "alarm": "/alarms/1",
    "inbox": "/inbox",
    "data": "/data",
}
# Everything that a thumb may want to hit and that is less than 44 px high.
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
    .filter((one) => one.offsetParent !== null && !one.closest('.skip'))
    .filter((one) => one.getBoundingClientRect().height < 43.5)
    .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(autouse=True)
def quick_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events four times a second, so that a test waits less."""
    monkeypatch.setattr(stream, "EVERY_S", 0.25)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with small_city(tmp_path / "city", Http(port=0)) as seeded:
        yield seeded


def reading(city: City, channel: str) -> str:
    """The selector of one value of the first furnace."""
    return f'.reading[data-series="{city.furnaces[0].series[channel]}"]'


@pytest.mark.parametrize(
    ("width", "locale", "lang", "title"),
    [(360, "zh-CN", "zh-CN", "总览"), (360, "en-GB", "en", "Overview"), (1280, "zh-CN", "zh-CN", "总览")],
)
def test_every_page_is_whole_without_error_foreign_request_or_sideways_scroll(
    city: City, browser: Browser, tmp_path: Path, width: int, locale: str, lang: str, title: str
) -> None:
    with served(city) as address, opened(browser, address, width, locale) as observed:
        page = observed.page
        for name, path in PAGES.items():
            page.goto(path)
            expect(page.locator("html")).to_have_attribute("lang", lang)
            if name == "city":
                expect(page).to_have_title(re.compile(title))
            if name in ("furnace", "alarm"):
                expect(page.locator(".plot canvas").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} scrolls sideways"
            assert page.evaluate(SMALL_TARGETS) == [], f"{name} has something too small to touch"
            assert picture(page, tmp_path, f"{name}-{width}-{lang}").stat().st_size > 10_000
        assert observed.troubles == []


def test_values_move_and_a_bad_one_turns_into_words(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="en-GB") as observed:
        page = observed.page
        page.goto(FURNACE)
        co = page.locator(reading(city, "co"))
        expect(co.locator(".value")).to_have_text("42.7")
        city.measure(city.furnaces[0], {"co": 57.3, "so2": Reason.WIRE_BREAK}, age_ms=100)
        expect(co.locator(".value")).to_have_text("57.3")
        so2 = page.locator(reading(city, "so2"))
        expect(so2).to_have_attribute("data-trust", "bad")
        expect(so2.locator(".value")).to_have_text("broken wire")
        expect(page.locator("#murmur")).to_contain_text("Sulphur dioxide: broken wire")
        city.measure(city.furnaces[0], {"phase": 5.0}, age_ms=50)
        expect(page.locator(".phases [aria-current]")).to_have_text("Burnout")
        assert observed.troubles == []


def test_a_value_that_is_not_renewed_turns_grey_with_a_clock_and_its_age(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="zh-CN") as observed:
        page = observed.page
        page.goto(FURNACE)
        temperature = page.locator(reading(city, "chamber2_temperature"))
        expect(temperature).to_have_attribute("data-trust", "live")
        city.now_ms += 45_000
        city.measure(city.furnaces[0], {"co": 43.0})
        expect(temperature).to_have_attribute("data-trust", "stale")
        expect(temperature.locator(".mark-stale")).to_be_visible()
        expect(temperature.locator(".why")).to_have_text("已过时")
        expect(temperature.locator(".age")).to_have_text(re.compile(r"4\d 秒"))
        expect(page.locator(reading(city, "co"))).to_have_attribute("data-trust", "live")


def test_a_lost_connection_is_said_and_values_do_not_pass_as_live(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="en-GB") as observed:
        page = observed.page
        page.clock.install(time=NOW_MS)
        page.goto(FURNACE)
        expect(page.locator(reading(city, "co"))).to_have_attribute("data-trust", "live")
        city.closing.set()
        expect(page.locator("#lost")).to_be_hidden()
        page.clock.fast_forward(40_000)
        expect(page.locator("#lost")).to_contain_text("No connection to the centre")
        expect(page.locator(reading(city, "co"))).to_have_attribute("data-trust", "stale")


def test_a_new_alarm_appears_without_reload_and_is_acknowledged_with_two_taps(
    city: City, browser: Browser, tmp_path: Path
) -> None:
    with served(city) as address, opened(browser, address, width=360, locale="zh-CN") as observed:
        page = observed.page
        page.goto("/alarms")
        expect(page.locator("#open .alarm")).to_have_count(1)
        (number,) = city.observe(stuck(city.furnaces[1], NOW_MS - 70_000))
        expect(page.locator(f"#alarm-{number}")).to_be_visible()
        expect(page.locator(".count")).to_have_text("2")
        expect(page.locator("#announce")).to_contain_text("一氧化碳读数停在 42.7")
        item = page.locator(".alarm-item", has=page.locator(f"#alarm-{number}"))
        item.locator("summary").click()
        picture(page, tmp_path, "acknowledging")
        item.get_by_role("button", name="仪表故障，已报修").click()
        expect(page).to_have_url(re.compile(rf"/alarms/{number}\?notice=acknowledged"))
        expect(page.locator(".log").first).to_contain_text("local · 仪表故障，已报修")
        assert observed.troubles == []


def test_an_alarms_page_is_acknowledged_with_two_taps_of_the_thumb_without_scrolling(
    city: City, browser: Browser
) -> None:
    with served(city) as address, opened(browser, address, width=360, locale="zh-CN") as observed:
        page = observed.page
        page.set_viewport_size({"width": 360, "height": 640})
        page.goto("/alarms/1")
        reach = page.locator(".ack-bar").get_by_role("link", name="确认报警")
        expect(reach).to_be_in_viewport(ratio=1)
        reach.click()
        chip = page.get_by_role("button", name="正在处理")
        expect(chip).to_be_in_viewport(ratio=1)
        chip.click()
        expect(page).to_have_url(re.compile(r"/alarms/1\?notice=acknowledged"))
        expect(page.locator(".ack-bar")).to_have_count(0)
        assert observed.troubles == []


def test_a_form_that_someone_fills_in_is_not_swapped_away(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="en-GB") as observed:
        page = observed.page
        page.goto("/alarms")
        page.locator("#open summary").click()
        page.get_by_label("Note (optional)").fill("Li")
        city.observe(stuck(city.furnaces[1], NOW_MS - 70_000))
        expect(page.locator("#waiting")).to_be_visible()
        expect(page.get_by_label("Note (optional)")).to_have_value("Li")
        expect(page.locator(".count")).to_have_text("2")


def test_a_tile_moves_up_with_its_alarm_on_the_overview(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="en-GB") as observed:
        page = observed.page
        page.goto("/")
        donghu = page.locator("#home-donghu .tile").first
        expect(donghu).to_have_attribute("data-worst", "")
        furnace = city.furnaces[3]
        city.observe(msgspec.structs.replace(stuck(furnace, NOW_MS - 70_000), key="stuck:again"))
        expect(donghu).to_have_attribute("data-worst", "medium")
        assert observed.troubles == []


def test_a_furnace_that_comes_into_sight_with_its_alarm_is_followed_from_then_on(
    browser: Browser, tmp_path: Path
) -> None:
    with empty_city(tmp_path / "country", Http(port=0)) as country:
        furnace = settle(country, 60, 2)[9]
        value = f'.reading[data-series="{furnace.series["flue_o2"]}"] .value'
        with served(country) as address, opened(browser, address, locale="en-GB") as observed:
            page = observed.page
            page.goto("/")
            expect(page.locator(".tile")).to_have_count(1)
            page.get_by_text("Cities with nothing abnormal").click()
            home = msgspec.structs.replace(furnace, home="beishan")  # whose names the alarm's words are
            own = stuck(home, NOW_MS - 70_000)
            place = msgspec.structs.replace(own.place, home_id=furnace.home)
            country.observe(msgspec.structs.replace(own, place=place))
            expect(page.locator(".tile")).to_have_count(2)
            expect(page.locator("#calm-areas")).to_have_attribute("open", "")
            country.now_ms += 2_000
            country.measure(furnace, {"flue_o2": 5.4})
            expect(page.locator(value)).to_have_text("5.4")
            assert observed.troubles == []


def test_the_language_changes_in_place(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="zh-CN") as observed:
        page = observed.page
        page.goto(f"{FURNACE}?range=1h")
        page.get_by_role("link", name="English").click()
        expect(page.locator("h1")).to_have_text("Furnace 1")
        expect(page.locator(".chips [aria-current]")).to_have_text("1 h")
        page.goto("/alarms")
        expect(page.locator("h1")).to_have_text("Alarms")


def test_the_span_of_the_curves_changes_without_a_reload(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="en-GB") as observed:
        page = observed.page
        page.goto(FURNACE)
        expect(page.locator(".plot canvas")).to_have_count(7)
        page.evaluate("window.untouched = true")
        page.get_by_role("link", name="24 h").click()
        expect(page.locator(".chips [aria-current]")).to_have_text("24 h")
        expect(page.locator(".plot canvas")).to_have_count(7)
        assert page.evaluate("window.untouched") is True
        expect(page.locator('[data-plot="temperatures"] output').first).to_have_text(re.compile(r"\d{3}"))
        assert observed.troubles == []


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_their_ground_by_the_ratio_of_wcag_aa(
    city: City, browser: Browser, tmp_path: Path, dark: bool
) -> None:
    city.measure(city.furnaces[0], {"so2": Reason.WIRE_BREAK}, age_ms=100)
    with served(city) as address, opened(browser, address, dark=dark) as observed:
        page = observed.page
        page.goto(FURNACE)
        expect(page.locator(".plot canvas")).to_have_count(7)
        picture(page, tmp_path, "dark" if dark else "light")
        assert (luminance(page, "body", "background-color") < 0.02) is dark
        pairs = {
            "body": "body",
            ".group .name": ".group",
            ".group dt": ".group",
            ".reading .unit": ".group",
            '.reading[data-trust="bad"]': ".group",
            ".alarm h3 a": ".alarm",
            "footer": "body",
            '.hours td[data-verdict="exceeded"] .verdict': '.hours td[data-verdict="exceeded"]',
        }
        for text, ground in pairs.items():
            ratio = contrast(luminance(page, text, "color"), luminance(page, ground, "background-color"))
            assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"


def test_without_javascript_the_page_reads_and_acknowledges(city: City, browser: Browser) -> None:
    with served(city) as address, opened(browser, address, locale="en-GB", script=False) as observed:
        page = observed.page
        page.goto(FURNACE)
        expect(page.locator(reading(city, "co")).locator(".value")).to_have_text("42.7")
        page.goto("/alarms/1")
        page.get_by_role("button", name="On it").click()
        expect(page.get_by_text("Acknowledged. Thank you.")).to_be_visible()
        assert observed.troubles == []


def luminance(page: Page, selector: str, property_name: str) -> float:
    """The relative luminance of a computed colour (WCAG 2)."""
    colour = page.locator(selector).first.evaluate(f"(one) => getComputedStyle(one)['{property_name}']")
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """The contrast ratio of two luminances."""
    high, low = max(one, other), min(one, other)
    return (high + 0.05) / (low + 0.05)
