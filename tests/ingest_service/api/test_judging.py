"""Explanations and advice on charging over a real server."""

import httpx
import pytest

from ingest_service.__main__ import main
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.charging import Advice, ChargeAdvice
from tests.ingest_service.emissions.test_explanation import explained
from tests.support.city import NOW_MS, City

FURNACE = "/api/v1/homes/beishan/furnaces/furnace-1"


def test_an_explanation_is_sent_with_its_minutes_and_its_clause(own_city: City, own_client: httpx.Client) -> None:
    own_city.explanations = explained(Averaging.CLOCK_HOUR)
    answer = own_client.get(f"{FURNACE}/explanations", params={"pollutant": "co", "at_ms": NOW_MS})
    (told,) = answer.json()
    assert (told["verdict"], told["mean"], told["valid_minutes"]) == ("exceeded", 40.0, 45)
    assert {loss["cause"]: loss["minutes"] for loss in told["lost"]} == {
        "missing_values": 10,
        "excluded_phase": 5,
    }
    assert len(told["minutes"]) == 60
    assert told["clause_en"].startswith("GB 13801-2015")


def test_the_command_asks_the_running_service(
    own_city: City, own_client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    own_city.explanations = explained(Averaging.CLOCK_HOUR)
    asked = ["--furnace", "beishan/furnace-1", "--pollutant", "co", "--at", "2026-03-02T10:20"]
    assert main(["rules", "explain", "--url", str(own_client.base_url), *asked]) == 0
    told = capsys.readouterr().out
    assert "co over clock_hour, 2026-03-02 10:00 to 2026-03-02 11:00: exceeded" in told
    assert "left out: 5 excluded_phase, 10 missing_values" in told


def test_the_command_passes_on_why_the_service_refuses(
    own_client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--furnace", "beishan/x", "--pollutant", "co", "--at", "2026-03-02T10:20"]
    assert main(["rules", "explain", "--url", str(own_client.base_url), *asked]) == 1
    assert "404: " in capsys.readouterr().err


def test_an_unknown_pollutant_is_refused_with_those_that_there_are(own_client: httpx.Client) -> None:
    answer = own_client.get(f"{FURNACE}/explanations", params={"pollutant": "hf", "at_ms": NOW_MS})
    assert answer.status_code == 422
    assert "chamber2_temperature" in answer.text


def test_a_furnace_that_is_not_there_is_not_found(own_client: httpx.Client) -> None:
    asked = {"pollutant": "co", "at_ms": str(NOW_MS)}
    assert own_client.get("/api/v1/homes/beishan/furnaces/x/explanations", params=asked).status_code == 404


def test_advice_on_charging_is_sent_with_the_clause_that_asks_for_it(own_city: City, own_client: httpx.Client) -> None:
    furnace = own_city.furnaces[0].id
    own_city.advice = [ChargeAdvice(furnace, NOW_MS, Advice.DO_NOT_CHARGE, 812.0, 850.0, "de-27-bimschv@1", "", "s. 3")]
    told = own_client.get(f"{FURNACE}/charging").json()
    assert (told["advice"], told["mean_c"], told["least_c"]) == ("do_not_charge", 812.0, 850.0)
    assert told["clause_en"] == "s. 3"


def test_without_a_minimum_there_is_no_advice(own_client: httpx.Client) -> None:
    answer = own_client.get(f"{FURNACE}/charging")
    assert answer.status_code == 404
    assert "no minimum temperature is asked" in answer.text
