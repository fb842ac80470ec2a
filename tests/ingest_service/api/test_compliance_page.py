"""The compliance page, its forms, and the reports behind it."""

import io
import re

import httpx
import msgspec
import pytest
from openpyxl import load_workbook

from ingest_service.cycles.cycle import Cycle, FoundBy
from ingest_service.store.cycles import CycleStore
from ingest_service.store.judged_tables import Judgement
from tests.support.city import HOUR_MS, NOW_MS, City

FURNACE = "/homes/beishan/furnaces/furnace-1"
REPORTS = "/api/v1/homes/beishan/reports"
EN = {"Accept-Language": "en"}
FORM = {"state": "maintenance", "start": "2026-03-10T08:00", "end": "2026-03-10T09:30", "reason": "new filter bags"}


def page(client: httpx.Client, path: str = f"{FURNACE}/compliance", lang: str = "en") -> str:
    response = client.get(path, headers={"Accept-Language": lang})
    assert response.status_code == 200, response.text
    return response.text


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_calendar_shows_hours_by_sign_and_by_words(client: httpx.Client) -> None:
    html = page(client)
    assert html.count('data-level="exceeded"') == 2, "the hour, and the legend"
    assert "03-10 08:00 over a limit; HCl" in html
    assert "31 of 45 minutes needed: operated too short a time" in html


def test_an_earlier_month_can_be_looked_at(client: httpx.Client) -> None:
    march = page(client)
    assert "2026-02" in march
    assert march.count('<th scope="row">') == 2, "from the first day that was judged"
    february = page(client, f"{FURNACE}/compliance?month=2026-02")
    assert february.count('<th scope="row">') == 0
    assert "month=2026-03" in february
    wrong = client.get(f"{FURNACE}/compliance?month=2026-2", headers=EN)
    assert wrong.status_code == 422


def test_a_mark_is_entered_corrected_and_withdrawn_by_forms(own_city: City, own_client: httpx.Client) -> None:
    answer = own_client.post(f"{FURNACE}/marks", data=FORM)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{FURNACE}/compliance?month=2026-03#marks"
    assert own_city.marked[0][1:] == (1773100800000, 1773100800000 + 5_400_000)
    assert own_client.post("/marks/1/correct", data=FORM | {"end": "2026-03-10T09:00"}).status_code == 303
    assert own_client.post("/marks/2/withdraw", data={"reason": "wrong furnace"}).status_code == 303
    read = words(page(own_client))
    for expected in ("new filter bags", "no. 2 stands in its place", "corrects no. 1", "withdraws no. 2"):
        assert expected in read


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        (f"{FURNACE}/marks", FORM | {"start": "yesterday"}, "2026-11-23T08:00"),
        (f"{FURNACE}/marks", FORM | {"end": "2026-03-10T07:00"}, "after the start"),
        (f"{FURNACE}/marks", FORM | {"reason": " "}, "reason"),
        (f"{FURNACE}/marks", FORM | {"state": "holiday"}, "maintenance"),
        ("/exceedances/1/remarks", {"cause": "weather", "action": "x"}, "cause"),
    ],
)
def test_a_form_that_cannot_be_right_is_refused(
    client: httpx.Client, path: str, data: dict[str, str], said: str
) -> None:
    answer = client.post(path, data=data, headers=EN)
    assert answer.status_code == 422
    assert said in answer.text


def test_cause_and_action_are_filled_in_by_a_form(own_client: httpx.Client) -> None:
    assert "Cause and action are not filled in yet." in page(own_client)
    said = {"cause": "control_equipment", "detail": "feeder empty", "action": "lime refilled"}
    assert own_client.post("/exceedances/1/remarks", data=said).status_code == 303
    read = words(page(own_client))
    assert "Flue gas treatment : feeder empty" in read or "Flue gas treatment: feeder empty" in read
    assert "lime refilled" in read
    assert "not filled in" not in read


def test_an_alarm_leads_to_where_its_cause_is_filled_in_and_a_home_to_its_report(client: httpx.Client) -> None:
    assert f'href="{FURNACE}/compliance?month=2026-03#exceedances"' in page(client, "/alarms/1")
    assert "#exceedances" not in page(client, "/alarms/2"), "a stuck reading has no such cause"
    assert f'href="{REPORTS}/month/2026-03?lang=en"' in page(client, "/homes/beishan")


def test_an_hour_without_a_mean_says_why_on_the_furnace_page(client: httpx.Client) -> None:
    assert "07:00–08:00 invalid: 31 of 45 minutes needed: operated too short a time" in words(page(client, FURNACE))


@pytest.mark.parametrize(
    ("forecast_mean", "exceeds_in_min", "said"),
    [
        (17.9, None, "at this rate the hour ends at 17.9 mg/m³"),
        (30.4, None, "at this rate the hour ends over its limit, at 30.4 mg/m³"),
        (42.0, 9, "at this rate the hour is over its limit from 10:51 on, and ends at 42.0 mg/m³"),
        (None, None, ""),
    ],
)
def test_the_furnace_page_says_how_the_hour_will_end(
    own_city: City, own_client: httpx.Client, forecast_mean: float | None, exceeds_in_min: int | None, said: str
) -> None:
    at_ms = None if exceeds_in_min is None else NOW_MS + exceeds_in_min * 60_000
    own_city.previews = [
        msgspec.structs.replace(one, forecast_mean=forecast_mean, exceeds_at_ms=at_ms)
        if one.pollutant == "hcl"
        else one
        for one in own_city.previews
    ]
    read = words(page(own_client, FURNACE))
    assert said in read
    assert ("at this rate" in read) is bool(said)


@pytest.mark.parametrize(("kind", "label"), [("day", "2026-03-10"), ("month", "2026-03"), ("year", "2026")])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_report_can_be_read_in_the_browser(client: httpx.Client, kind: str, label: str, lang: str) -> None:
    answer = client.get(f"{REPORTS}/{kind}/{label}", params={"furnace": "furnace-1", "lang": lang})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert ("Hydrogen chloride" if lang == "en" else "氯化氢") in answer.text
    assert "41.8" in answer.text


def test_the_same_records_give_the_same_file_at_another_time(own_city: City, own_client: httpx.Client) -> None:
    query = {"furnace": "furnace-1", "lang": "en"}
    for form in ("html", "csv", "xlsx"):
        first = own_client.get(f"{REPORTS}/day/2026-03-09", params=query | {"format": form}).content
        own_city.now_ms += 26 * HOUR_MS
        assert own_client.get(f"{REPORTS}/day/2026-03-09", params=query | {"format": form}).content == first


def test_a_home_report_holds_every_furnace(client: httpx.Client) -> None:
    answer = client.get(f"{REPORTS}/month/2026-03", params={"format": "xlsx", "lang": "en"})
    assert answer.headers["content-disposition"] == 'attachment; filename="beishan-2026-03-en.xlsx"'
    sheet = load_workbook(io.BytesIO(answer.content))["Operation and energy"]
    assert [row[0] for row in sheet.iter_rows(min_row=2, max_row=4, values_only=True)] == [
        "Furnace 1",
        "Furnace 2",
        "Furnace 3",
    ]


def test_an_exceedance_that_a_mark_took_away_is_still_told_of(own_city: City, own_client: httpx.Client) -> None:
    assert "no longer" not in page(own_client)
    start_ms = NOW_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    own_city.insert(Judgement, {
        "furnace_id": own_city.furnaces[0].id, "rule": "gb13801-2015-table2@1", "pollutant": "hcl",
        "start_ms": start_ms, "end_ms": start_ms + HOUR_MS, "mean": None, "peak": None, "limit": 30.0, "unit": "mg/m3",
        "valid_minutes": 0, "verdict": "invalid", "cause": "marked", "revision": 1, "revision_reason": "marks",
        "computed_at_ms": NOW_MS,
    })  # fmt: skip
    read = words(page(own_client))
    assert "Hydrogen chloride 2026-03-10 08:00 – 09:00 41.8 mg/m³ was over the limit of 30, clock hour." in read
    assert "for a mark: invalid" in read


def add_cremation(own_city: City) -> Cycle:
    begin_ms = NOW_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS - 600_000  # 7:50
    cycle = Cycle(
        furnace_id=own_city.furnaces[0].id,
        case_number="20260310-0750",
        found_by=FoundBy.PHASE,
        start_ms=begin_ms,
        charge_ms=begin_ms,
        end_ms=begin_ms + 80 * 60_000,
        chamber2_limit_c=850.0,
        chamber2_least_c=861.0,
        gas_m3=24.5,
        co2_kg_per_m3=2.16,
        hcl_g=31.0,
    )
    CycleStore(own_city.engine).record(cycle.furnace_id, begin_ms, NOW_MS, [cycle], NOW_MS)
    return cycle


def test_the_calendar_counts_cremations_that_are_judged_by_means_of_their_own(
    own_city: City, own_client: httpx.Client
) -> None:
    assert 'class="burned"' not in page(own_client)
    cycle = add_cremation(own_city)
    for at, verdict in enumerate(("within", "exceeded")):
        start_ms = cycle.start_ms + at * HOUR_MS // 2
        own_city.insert(Judgement, {
            "furnace_id": cycle.furnace_id, "rule": "permit@1", "pollutant": "co", "averaging": "halves_of_first_hour",
            "start_ms": start_ms, "end_ms": start_ms + HOUR_MS // 2, "mean": 90.0 + 20.0 * at, "peak": 200.0,
            "limit": 100.0, "unit": "mg/m3", "valid_minutes": 30, "verdict": verdict, "computed_at_ms": NOW_MS,
        })  # fmt: skip
    assert "Judged by the cremation: cremations over a limit 1" in words(page(own_client))
    assert 'title="超标火化 1" aria-hidden="true">▲ 1<' in page(own_client, lang="zh")


def test_a_cremation_has_a_report_of_its_own(own_city: City, own_client: httpx.Client) -> None:
    add_cremation(own_city)
    query = {"furnace": "furnace-1", "lang": "en"}
    answer = own_client.get(f"{REPORTS}/cremation/20260310-0750", params=query)
    assert answer.status_code == 200, answer.text
    read = words(answer.text)
    for expected in (
        "Report on one cremation 20260310-0750",
        "861",
        "24.5",
        "0.031",
        "41.8 exceeded",
        "2026-03-10 07:50",
    ):
        assert expected in read
    assert answer.text.count('class="over"') == 1, "the hour in which it burned is drawn"
    day = words(own_client.get(f"{REPORTS}/day/2026-03-10", params=query).text)
    assert "20260310-0750" in day


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{REPORTS}/day/2026-02-30", 422),
        (f"{REPORTS}/week/2026-03", 422),
        (f"{REPORTS}/day/2026-03-10?format=pdf", 422),
        (f"{REPORTS}/day/2026-03-10?lang=fr", 422),
        (f"{REPORTS}/cremation/x", 422),
        (f"{REPORTS}/cremation/x?furnace=furnace-1", 404),
        (f"{REPORTS}/day/2026-03-10?furnace=nope", 404),
        ("/api/v1/homes/nope/reports/day/2026-03-10", 404),
    ],
)
def test_a_report_that_cannot_be_made_is_refused(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_the_languages_of_a_report_are_named_to_whoever_asks_for_another(client: httpx.Client) -> None:
    answer = client.get(f"{REPORTS}/day/2026-03-10", params={"lang": "fr"})
    assert "lang" in answer.text
    assert "'zh' or 'en'" in answer.json()["detail"]


def test_a_report_of_a_time_without_data_says_so(client: httpx.Client) -> None:
    answer = client.get(f"{REPORTS}/day/2020-01-01", params={"lang": "en"})
    assert "Nothing was judged in this time." in answer.text
    assert "PRELIMINARY" in answer.text
