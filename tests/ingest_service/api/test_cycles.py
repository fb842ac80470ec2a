"""Cremations and the energy ranking, over JSON and as pages."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingest_service.config import Http
from ingest_service.cycles.cycle import Cycle, FoundBy, StartKind
from ingest_service.cycles.energy import HourUse
from ingest_service.store.cycles import CycleStore
from ingest_service.store.energy import EnergyStore
from tests.support.browser import served
from tests.support.city import HOUR_MS, NOW_MS, City, small_city

MIDNIGHT = NOW_MS // HOUR_MS * HOUR_MS - 10 * HOUR_MS  # 00:00 in Shanghai
YESTERDAY = MIDNIGHT - 24 * HOUR_MS
FURNACE = "/homes/beishan/furnaces/furnace-1"
SPAN = {"from": YESTERDAY, "to": NOW_MS}


def cycle(furnace_id: int, start_h: float, gas_m3: float | None, kind: StartKind = StartKind.WARM) -> Cycle:
    start_ms = YESTERDAY + round(start_h * HOUR_MS)
    return Cycle(
        furnace_id=furnace_id,
        case_number=f"f{furnace_id}-{start_h:g}",
        found_by=FoundBy.SIGNALS,
        start_ms=start_ms,
        charge_ms=start_ms + 300_000,
        ignition_ms=start_ms + 420_000,
        main_ms=None,
        burnout_ms=start_ms + 3_600_000,
        cooling_ms=start_ms + 4_500_000,
        end_ms=start_ms + 5_400_000,
        start_kind=kind,
        covered_share=0.93,
        chamber2_least_c=841.0,
        chamber2_limit_c=850.0,
        chamber2_below_s=75.0,
        co_peak=412.0,
        gas_m3=gas_m3,
        co2_kg=None if gas_m3 is None else 2.0 * gas_m3,
        co2_kg_per_m3=2.0,
        dust_g=12.5,
    )


def hour(furnace_id: int, start_h: int, gas_m3: float, burned_m3: float) -> HourUse:
    return HourUse(furnace_id, YESTERDAY + start_h * HOUR_MS, gas_m3, burned_m3, None, None, 3600.0, 900.0)


@pytest.fixture(scope="module")
def burnt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Two cremations at one furnace yesterday, one at another, and one of today that lasts till now."""
    with small_city(tmp_path_factory.mktemp("burnt"), Http(port=0)) as city:
        store, first, second = CycleStore(city.engine), city.furnaces[0].id, city.furnaces[1].id
        ends = YESTERDAY, NOW_MS
        mine = [cycle(first, 8, 40.0, StartKind.COLD), cycle(first, 9.5, 20.0), cycle(first, 32, 22.0)]
        store.record(first, *ends, mine, NOW_MS)
        store.record(second, *ends, [cycle(second, 11, 24.0, StartKind.COLD)], NOW_MS)
        EnergyStore(city.engine).put([hour(first, 8, 45.0, 40.0), hour(second, 11, 30.0, 24.0)])
        yield city


@pytest.fixture(scope="module")
def reader(burnt: City) -> Iterator[httpx.Client]:
    with served(burnt) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_cremations_are_listed_by_start_with_their_figures(reader: httpx.Client) -> None:
    found = reader.get(f"/api/v1{FURNACE}/cycles", params=SPAN).json()
    assert [one["gas_m3"] for one in found] == [40.0, 20.0, 22.0]
    assert found[0]["start_kind"] == "cold"
    assert found[0]["main_ms"] is None
    assert found[0]["co2_kg"] == 80.0
    assert (found[0]["revision"], found[0]["found_by"]) == (0, "signals")
    within = {"from": YESTERDAY + 9 * HOUR_MS, "to": YESTERDAY + 10 * HOUR_MS}
    assert len(reader.get(f"/api/v1{FURNACE}/cycles", params=within).json()) == 2


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        (f"/api/v1{FURNACE}/cycles", {"from": 5, "to": 5}, 422),
        (f"/api/v1{FURNACE}/cycles", {"from": 0, "to": NOW_MS}, 422),
        ("/api/v1/homes/beishan/furnaces/none/cycles", SPAN, 404),
        ("/api/v1/energy", {"from": 0, "to": NOW_MS}, 422),
        ("/api/v1/energy", {**SPAN, "home": "nowhere"}, 404),
        ("/homes/beishan/furnaces/none/cremations", {}, 404),
        ("/energy", {"span": "century"}, 422),
    ],
)
def test_what_cannot_be_answered_is_refused(
    reader: httpx.Client, path: str, params: dict[str, int | str], status: int
) -> None:
    assert reader.get(path, params=params).status_code == status


def test_the_ranking_puts_the_most_sparing_furnace_first_idle_gas_included(reader: httpx.Client) -> None:
    answer = reader.get("/api/v1/energy", params={"from": YESTERDAY, "to": MIDNIGHT}).json()
    first, second, *others = answer["standings"]
    assert (first["place"], first["gas_all_m3"], first["cremations"]) == (1, 30.0, 1)  # 24 burned, 6 idle
    assert (second["place"], second["gas_all_m3"], second["cremations"]) == (2, 32.5, 2)  # 60 burned, 5 idle
    assert (second["gas_m3"], second["gas_best_m3"], second["gas_over_best_pct"]) == (30.0, 20.0, 50.0)
    assert (answer["fleet_gas_m3"], answer["fleet_gas_best_m3"], answer["fleet_co2_kg"]) == (24.0, 20.0, 48.0)
    assert (second["cold_starts"], second["avoidable_cold_starts"]) == (1, 0)
    assert (first["cold_starts"], first["avoidable_cold_starts"]) == (1, 1)  # the other furnace was warm and free
    assert {one["place"] for one in others} == {None}


def test_the_ranking_of_many_furnaces_comes_a_page_at_a_time(
    reader: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = words(reader.get("/energy", headers={"Accept-Language": "en"}).text)
    monkeypatch.setattr("ingest_service.api.page.energy.FURNACES_A_PAGE", 1)
    first, second = (reader.get(f"/energy?page={at}", headers={"Accept-Language": "en"}).text for at in (1, 2))
    assert ["1. " in words(html) for html in (first, second)] == [True, False]
    assert 'href="/energy?span=yesterday&amp;page=2"' in first
    assert whole.split("Avoidable")[0] == words(first).split("Avoidable")[0], "the figures above are those of all"


def test_the_ranking_of_one_home_leaves_the_others_out(reader: httpx.Client) -> None:
    params: dict[str, int | str] = {"from": YESTERDAY, "to": MIDNIGHT, "home": "donghu"}
    assert {one["home_id"] for one in reader.get("/api/v1/energy", params=params).json()["standings"]} == {"donghu"}


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", ("Emitted", "12.5 g", "Revision")), ("zh", ("排放量", "12.5 g", "修订"))],
)
def test_the_page_shows_a_days_cremations_with_a_picture_each(
    reader: httpx.Client, lang: str, said: tuple[str, ...]
) -> None:
    html = reader.get(f"{FURNACE}/cremations", headers={"Accept-Language": lang}).text
    assert html.count('<svg class="curves"') == 2
    assert html.index("f1-32") < html.index("f1-9.5")
    assert all(word in words(html) for word in said[:2])
    assert said[2] not in words(html)
    earlier = reader.get(f"{FURNACE}/cremations", params={"until": MIDNIGHT}, headers={"Accept-Language": lang}).text
    assert earlier.count('<svg class="curves"') == 2
    assert 'data-phase="ignition"' in earlier
    assert 'data-phase="main"' not in earlier


@pytest.mark.parametrize(("lang", "said"), [("en", "1 avoidable"), ("zh", "可避免 1 次")])
def test_the_page_ranks_yesterdays_furnaces(reader: httpx.Client, lang: str, said: str) -> None:
    html = reader.get("/energy", headers={"Accept-Language": lang}).text
    assert said in words(html)
    assert html.index("30.0") < html.index("32.5")
    assert html.count('class="spent"') == 2


@pytest.mark.parametrize("path", [f"{FURNACE}/cremations", "/energy?span=month"])
def test_a_page_without_cremations_says_so(tmp_path: Path, path: str) -> None:
    with small_city(tmp_path, Http(port=0)) as city, served(city) as address:
        html = httpx.get(f"{address}{path}", headers={"Accept-Language": "en"}).text
    assert 'class="empty"' in html
    assert not re.search(r"<style|\s(?:style|on\w+)=", html)


def test_another_homes_cremations_are_not_in_sight(burnt: City) -> None:
    with served(burnt, ["donghu"]) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.get(f"/api/v1{FURNACE}/cycles", params=SPAN).status_code == 404
        assert client.get(f"{FURNACE}/cremations").status_code == 404
        energy = client.get("/api/v1/energy", params=SPAN)
        page = client.get("/energy", headers={"Accept-Language": "en"})
    assert "beishan" not in energy.text
    assert "Beishan" not in page.text
    assert energy.json()["fleet_gas_m3"] is None
