"""What rules for missing hours fill in, as JSON and in the monthly report: apart, labelled, off until it was read."""

import re
from importlib.resources import files
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import update

from ingest_service.store.judged_tables import Judgement
from ingest_service.store.transaction import transaction
from tests.support.browser import served
from tests.support.city import HOUR_MS, NOW_MS, City

FURNACE = "/api/v1/homes/beishan/furnaces/furnace-1"
LOST_MS = NOW_MS // HOUR_MS * HOUR_MS - HOUR_MS


@pytest.fixture
def filling_city(own_city: City, tmp_path: Path) -> City:
    """A city whose rule for missing hours is in force, and lost its newest hour of HCl."""
    shipped = files("ingest_service.emissions.rules").joinpath("gb13801-2015-table2.toml").read_text(encoding="utf-8")
    read = 'enabled = true\nclause_zh = "第7条"\nclause_en = "clause 7"'
    pack = tmp_path / "permit.toml"
    pack.write_text(shipped.replace("enabled = false", read), encoding="utf-8")
    judging = msgspec.structs.replace(own_city.config.judging, packs=(str(pack),))
    own_city.config = msgspec.structs.replace(own_city.config, judging=judging)
    lost = update(Judgement).where(Judgement.start_ms == LOST_MS, Judgement.pollutant == "hcl")
    with transaction(own_city.engine) as session:
        session.execute(lost.values(mean=None, peak=None, verdict="invalid", cause="missing_values", valid_minutes=3))
    return own_city


def test_a_rule_that_nobody_has_read_fills_nothing_in_and_says_why(client: httpx.Client) -> None:
    answer = client.get(f"{FURNACE}/substitutions/2026-03").json()
    assert answer["filled"] == []
    (rule,) = answer["rules"]
    assert (rule["rule"], rule["filling"]) == ("gb13801-2015-table2@1", "disabled")
    assert "not checked" in rule["source"]
    assert "has not been checked against the text" in rule["note_en"]


def test_filled_in_hours_are_sent_with_their_label_value_rule_and_clause(filling_city: City) -> None:
    with served(filling_city) as address, httpx.Client(base_url=address, timeout=60) as reader:
        answer = reader.get(f"{FURNACE}/substitutions/2026-03").json()
        html = reader.get("/api/v1/homes/beishan/reports/month/2026-03?furnace=furnace-1&lang=en").text
    (found,) = (one for one in answer["filled"] if one["filled"])
    (gap,) = found["gaps"]
    assert (found["pollutant"], found["filled"], found["missing"], found["clause_en"]) == ("hcl", 1, 0, "clause 7")
    assert (gap["label"], gap["start_ms"], gap["hours"], gap["value"]) == ("substituted", LOST_MS, 1, 41.83)
    assert found["mean_with_filled"] > found["mean"]
    told = re.sub(r"<[^>]+>|\s+", " ", html)
    assert re.search(r"1 +substituted +41\.8 +mg/m³ +highest of the \d+ valid hours before", told)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{FURNACE}/substitutions/2026-3", 422),
        (f"{FURNACE}/substitutions/2026", 422),
        ("/api/v1/homes/beishan/furnaces/nope/substitutions/2026-03", 404),
    ],
)
def test_a_month_or_furnace_that_does_not_exist_is_refused(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status
