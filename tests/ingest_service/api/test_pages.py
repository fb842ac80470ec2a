"""The pages as a browser without JavaScript gets them."""

import re
from pathlib import Path

import httpx
import msgspec
import numpy as np
import pytest

from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, GapReason
from edge_agent.wire.sample import Reason
from ingest_service.api.page.assets import asset_url, assets
from ingest_service.config import Http
from ingest_service.store.batch import SampleBatch
from ingest_service.store.gaps import GapLog, GapRow
from tests.support.browser import served
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS, City, empty_city, in_order, silent, stuck

PAGES = [
    "/",
    "/homes/beishan",
    "/homes/beishan/furnaces/furnace-1",
    "/homes/beishan/furnaces/furnace-1/completeness",
    "/homes/beishan/furnaces/furnace-1/compliance",
    "/alarms",
    "/alarms/1",
    "/alarms/2",
    "/inbox",
    "/data",
]
FURNACE = "/homes/beishan/furnaces/furnace-1"


def page(client: httpx.Client, path: str, lang: str = "en") -> str:
    response = client.get(path, headers={"Accept-Language": lang})
    assert response.status_code == 200, response.text
    return response.text


def words(html: str) -> str:
    """What a person reads, without tags and runs of space."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def marks_of(html: str) -> list[tuple[str, str]]:
    """The alarms that stand beside values: where each leads, and its words."""
    found = re.findall(r'<a class="alarm-mark" href="([^"]+)">(.*?)</a>', html, re.DOTALL)
    return [(href, words(text).strip()) for href, text in found]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("lang", "tag"), [("zh", "zh-CN"), ("en", "en")])
def test_every_page_is_whole_in_both_languages(client: httpx.Client, path: str, lang: str, tag: str) -> None:
    html = page(client, path, lang)
    assert f'<html lang="{tag}">' in html
    assert "</html>" in html
    assert "0.1.0" in html
    assert "Asia/Shanghai" in html
    assert "UTC+08:00" in html


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_inline_script_or_style_or_an_address_elsewhere(client: httpx.Client, path: str) -> None:
    html = page(client, path)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\s(?:style|on\w+)=", html)
    assert not re.search(r"""(?:href|src|action|hx-get)=["'](?:https?:)?//""", html)


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/api/v1/homes", "/healthz"])
def test_every_answer_tells_the_browser_to_trust_only_this_page(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_the_overview_puts_what_is_abnormal_first(own_city: City, own_client: httpx.Client) -> None:
    own_city.observe(silent("nanping", NOW_MS - 5 * HOUR_MS))
    edges = {view.home: view for view in own_city.edges}
    own_city.edges = [
        *(view for view in own_city.edges if view.home != "donghu"),
        msgspec.structs.replace(edges["donghu"], online=False),
    ]
    own_city.alarms.acknowledge(1, "李敏", "", NOW_MS)
    html = page(own_client, "/")
    assert in_order(["home-beishan", "home-nanping", "home-donghu"], html)
    assert "Edge gateway is silent since" in html
    assert "2 of 3" in words(html)


def test_a_tile_shows_phase_temperature_oxygen_and_the_running_hour(client: httpx.Client) -> None:
    html = page(client, "/homes/donghu")
    tile = words(html[html.index('class="tile"') : html.index("</a>", html.index('class="tile"'))])
    for expected in ("Furnace 1", "Main burn", "904 °C", "9.8 %", "51.9 / 150 mg/m³", "0 s ago"):
        assert expected in tile


def test_a_furnace_shows_its_phase_and_the_time_in_it(client: httpx.Client) -> None:
    html = page(client, FURNACE)
    assert re.search(r'<li data-code="4" aria-current="step">Main burn</li>', html)
    assert "for 23 min" in words(html)


def test_a_furnace_groups_its_values_with_unit_and_age(client: httpx.Client) -> None:
    read = words(page(client, FURNACE))
    assert in_order(["Emissions", "Combustion", "Gas path", "Doors and burners", "Utilities and counters"], read)
    assert "Filter differential pressure 1,142 Pa 0 s" in read
    assert "Charge door closed" in read
    assert "Trolley in" in read
    assert "Secondary burner on" in read


def test_what_tells_only_of_the_measuring_is_no_value_of_the_furnace(client: httpx.Client) -> None:
    assert "Scan counter" not in words(page(client, FURNACE))
    assert "Scan counter" in words(page(client, f"{FURNACE}/completeness"))


def test_a_value_with_an_open_alarm_is_marked_until_it_is_back_to_normal(
    own_city: City, own_client: httpx.Client
) -> None:
    furnace = own_city.furnaces[1]
    condition = stuck(furnace, NOW_MS - 5 * MINUTE_MS)
    (number,) = own_city.observe(condition)
    address = "/homes/beishan/furnaces/furnace-2"
    assert marks_of(page(own_client, address)) == [(f"/alarms/{number}", "Medium stuck since 10:37")]
    assert "All within their limits so far. Not to be trusted: Carbon monoxide." in words(page(own_client, address))
    assert "CO stuck since 10:37" in words(page(own_client, "/"))
    assert "CO stuck since 10:37" in words(page(own_client, "/homes/beishan"))
    own_city.observe(msgspec.structs.replace(condition, ends_ms=NOW_MS))
    assert marks_of(page(own_client, address)) == []
    assert "CO stuck since 10:37 (over)" in words(page(own_client, "/"))


def test_a_pollutant_over_its_limit_is_marked_with_the_hour(client: httpx.Client) -> None:
    html = page(client, FURNACE)
    assert marks_of(html) == [("/alarms/1", "High over its limit from 08:00")]
    assert "HCl over its limit from 08:00" in words(page(client, "/"))


def test_the_emissions_say_in_words_whether_all_is_within_limits(client: httpx.Client) -> None:
    assert in_order(["Emissions", "All within their limits so far.", "Dust"], words(page(client, FURNACE)))


def test_a_home_says_in_words_how_it_stands(client: httpx.Client) -> None:
    read = words(page(client, "/"))
    assert "Beishan Funeral Home Chengbei District High 1 alarm" in read
    assert "Donghu Funeral Home Donghu District no alarm" in read


def test_a_bad_value_stands_in_words_and_a_stale_one_is_marked(own_city: City, own_client: httpx.Client) -> None:
    furnace = own_city.furnaces[0]
    own_city.measure(furnace, {"so2": Reason.WIRE_BREAK, "stack_moisture": 9.1}, age_ms=100)
    own_city.now_ms += 60_000
    own_city.measure(furnace, {"so2": Reason.WIRE_BREAK}, age_ms=100)
    html = page(own_client, FURNACE)
    so2 = re.search(rf'<span class="reading" data-series="{furnace.series["so2"]}".*?</time>', html, re.DOTALL)
    moisture = re.search(
        rf'<span class="reading" data-series="{furnace.series["stack_moisture"]}".*?</time>', html, re.DOTALL
    )
    assert so2
    assert moisture
    assert 'data-trust="bad"' in so2.group()
    assert words(so2.group()).split() == ["broken", "wire", "invalid", "0", "s"]
    assert 'data-trust="stale"' in moisture.group()
    assert words(moisture.group()).split() == ["9.1", "%", "stale", "1", "min"]


def test_an_unsynchronised_clock_is_said_once_and_not_beside_every_value(
    own_city: City, own_client: httpx.Client
) -> None:
    furnace = own_city.furnaces[0]
    series = np.array([furnace.series["co"], furnace.series["flue_o2"]], np.int32)
    times, doubts = np.full(2, NOW_MS - 100, np.int64), np.full(2, Reason.CLOCK_UNSYNCED, np.uint8)
    own_city.live.update(SampleBatch(series, times, np.array([43.0, 11.0]), doubts), NOW_MS)
    html = page(own_client, FURNACE)
    assert html.count("site clock not synchronised: the values stand, their times may be off.") == 1
    assert 'data-trust="uncertain"' not in html
    assert page(own_client, "/").count("site clock not synchronised") == 1


def test_the_hours_of_yesterday_and_today_stand_with_verdict_and_valid_minutes(client: httpx.Client) -> None:
    html = page(client, FURNACE)
    hours = words(
        html[html.index('<table class="hours">') : html.index("</table>", html.index('<table class="hours">'))]
    )
    assert in_order(
        ["Today 2026-03-10", "09:00", "08:00", "41.8 exceeded 58 min", "07:00", "Yesterday 2026-03-09"], hours
    )
    assert "07:00–08:00 invalid: 31 of 45 minutes needed: operated too short a time" in hours
    assert "18:00–24:00 Not judged: not operating" in hours
    assert "Limit 30 30 200 150 30" in hours


def test_curves_have_a_table_for_those_who_cannot_see_them(client: httpx.Client) -> None:
    html = page(client, FURNACE)
    assert '<details class="as-table">' in html
    assert "Secondary chamber temperature °C" in words(html)


@pytest.mark.parametrize("span", ["1h", "6h", "24h", "yesterday"])
def test_the_span_of_the_curves_can_be_chosen(client: httpx.Client, span: str) -> None:
    html = page(client, f"{FURNACE}?range={span}")
    assert re.search(rf'href="{FURNACE}\?range={span}#trends"[^>]*aria-current="true"', html)
    start, end = (int(re.search(rf'data-{name}="(\d+)"', html).group(1)) for name in ("from", "to"))  # type: ignore[union-attr]
    assert end - start == {"1h": 1, "6h": 6, "24h": 24, "yesterday": 24}[span] * HOUR_MS
    assert ("data-follows" in html) is (span != "yesterday")


def test_an_alarm_says_what_to_do_and_who_was_told(client: httpx.Client) -> None:
    read = words(page(client, "/alarms/1"))
    for expected in (
        "41.83 mg/m³ is over the limit of 30 mg/m³",
        "What to do",
        "Likely cause",
        "Respond within 30 minutes",
    ):
        assert expected in read
    assert "raised recorded at 10:42:17" in read
    assert "Inbox duty desk (zh) · raised · accepted by the receiver" in read


def test_an_alarms_curves_show_only_what_bears_on_it(client: httpx.Client) -> None:
    html = page(client, "/alarms/1")
    assert re.findall(r'data-plot="([\w-]+)"', html) == ["temperatures", "oxygen", "limit-hcl"]
    assert 'data-plot="limit-' not in page(client, "/alarms/2")


def test_an_alarm_is_acknowledged_by_a_plain_form_under_the_readers_name(own_client: httpx.Client) -> None:
    form = {"reason": "dosing_restored", "note": "换了喷嘴"}
    response = own_client.post("/alarms/1/acknowledge", data=form)
    assert (response.status_code, response.headers["location"]) == (303, "/alarms/1?notice=acknowledged")
    after = own_client.get(response.headers["location"], headers={"Accept-Language": "en"}).text
    assert "Acknowledged. Thank you." in after
    assert "acknowledged local · Dosing restored: 换了喷嘴" in words(after)
    assert "<form" not in after
    again = own_client.post("/alarms/1/acknowledge")
    assert again.headers["location"] == "/alarms/1?notice=already"


def test_an_acknowledgement_with_too_long_a_note_is_refused(client: httpx.Client) -> None:
    response = client.post("/alarms/1/acknowledge", data={"note": "x" * 301}, headers={"Accept-Language": "en"})
    assert response.status_code == 422
    assert "The request is not right" in response.text


def test_a_form_of_another_sites_page_is_refused(client: httpx.Client) -> None:
    response = client.post("/alarms/1/acknowledge", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert client.get("/api/v1/alarms/1").json()["acknowledged_at_ms"] is None


def test_what_people_wrote_is_escaped(own_client: httpx.Client) -> None:
    own_client.post("/alarms/1/acknowledge", data={"note": "<b>x</b><script>alert(1)</script>"})
    html = page(own_client, "/alarms/1")
    assert "<script>alert" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_changing_the_language_keeps_the_place_and_is_remembered(client: httpx.Client) -> None:
    html = page(client, f"{FURNACE}?range=24h", "zh")
    link = re.search(r'<a class="lang" href="([^"]+)"', html)
    assert link
    address = link.group(1).replace("&amp;", "&")
    assert address == f"{FURNACE}?range=24h&lang=en"
    switched = client.get(address, headers={"Accept-Language": "zh"})
    assert '<html lang="en">' in switched.text
    assert switched.cookies["lang"] == "en"
    client.cookies.clear()


@pytest.mark.parametrize("path", ["/nothing", "/homes/nowhere", "/homes/beishan/furnaces/nothing", "/alarms/999"])
def test_a_missing_page_is_a_page_of_its_own(client: httpx.Client, path: str) -> None:
    response = client.get(path, headers={"Accept-Language": "en"})
    assert response.status_code == 404
    assert "There is no such page" in response.text


def test_a_missing_page_says_so_in_one_language(client: httpx.Client) -> None:
    answer = client.get("/nothing?lang=zh")
    client.cookies.clear()
    assert "没有这个页面" in answer.text
    assert "Not Found" not in answer.text


def test_a_range_that_does_not_exist_is_refused(client: httpx.Client) -> None:
    assert client.get(f"{FURNACE}?range=forever").status_code == 422


def test_the_inbox_is_in_the_readers_language(client: httpx.Client) -> None:
    assert "氯化氢小时均值" in page(client, "/inbox", "zh")
    english = words(page(client, "/inbox"))
    assert "Hydrogen chloride hour mean" in english
    assert "acknowledged · 王建国 · Analyser fault, reported: 已更换滤芯 · duty desk" in english


def test_the_data_page_shows_edges_intake_store_and_rejections(client: httpx.Client) -> None:
    read = words(page(client, "/data"))
    for expected in (
        "Beishan Funeral Home / gateway online",
        "+0.1 s",
        "Samples stored 90,180",
        "time lies in the future",
        "31",
    ):
        assert expected in read


def test_gaps_of_one_edge_at_one_time_share_a_line_and_old_ones_are_folded(
    own_city: City, own_client: httpx.Client
) -> None:
    log, reason = GapLog(own_city.engine), GapReason.AGENT_STOPPED
    days = {"furnace-1": 0, "furnace-2": 0, "furnace-3": 2}
    gaps = [Gap(device, NOW_MS - ago * 24 * HOUR_MS - 60_000, NOW_MS - ago * 24 * HOUR_MS, 0, reason)
            for device, ago in days.items()]  # fmt: skip
    log.add([GapRow(1, 5, FIRST_GAP_BLOCK + n, gap, NOW_MS) for n, gap in enumerate(gaps)])
    recent, _, old = words(page(own_client, "/data")).partition("Older than a day: 1")
    assert "Beishan Funeral Home / furnace-1, furnace-2 the agent was not running" in recent
    assert "furnace-3" not in recent.partition("Gap records")[2]
    assert "Beishan Funeral Home / furnace-3 the agent was not running" in old


def test_what_was_found_in_retrospect_says_in_the_inbox_that_it_is_over(
    own_city: City, own_client: httpx.Client
) -> None:
    past = stuck(own_city.furnaces[1], NOW_MS - 5 * HOUR_MS)
    own_city.observe(msgspec.structs.replace(past, ends_ms=NOW_MS - 3 * HOUR_MS))
    read = words(page(own_client, "/inbox"))
    assert in_order(["raised", "Carbon monoxide is stuck", "Ended at 07:42:17", "is over the limit"], read)
    assert read.count("Ended at") == 1


def test_an_empty_centre_says_how_to_begin(tmp_path: Path) -> None:
    with (
        empty_city(tmp_path, Http(port=0)) as city,
        served(city) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        assert "edge-agent run site.toml" in page(client, "/")
        assert "No alarm is open." in page(client, "/alarms")
        assert "No notification yet." in page(client, "/inbox")
        assert "No edge has connected yet" in page(client, "/data")


def test_files_are_kept_for_ever_under_the_hash_of_their_content(client: httpx.Client) -> None:
    for path in assets():
        response = client.get(asset_url(path))
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.content == assets()[path]


def test_pages_are_never_kept(client: httpx.Client) -> None:
    assert client.get("/").headers["cache-control"] == "no-store"
