"""The advice on charging on a furnace's page."""

import re

import httpx
import pytest

from ingest_service.emissions.charging import Advice, ChargeAdvice
from tests.support.city import NOW_MS, City

FURNACE = "/homes/beishan/furnaces/furnace-1"


def words(client: httpx.Client, lang: str) -> str:
    html = client.get(FURNACE, headers={"Accept-Language": lang}).text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize(
    ("advice", "mean_c", "lang", "said"),
    [
        (Advice.DO_NOT_CHARGE, 812.4, "en", "Do not charge: the secondary chamber is at 812 °C, at least 850 °C"),
        (Advice.DO_NOT_CHARGE, 812.4, "zh", "请勿进炉：再燃室 812 °C，要求至少 850 °C。 第4条"),
        (Advice.MAY_CHARGE, 871.0, "en", "May be charged: the secondary chamber is at 871 °C"),
        (Advice.UNKNOWN, None, "en", "Whether it may be charged is not known"),
    ],
)
def test_the_furnace_page_says_whether_to_charge_and_who_asks(
    own_city: City, own_client: httpx.Client, advice: Advice, mean_c: float | None, lang: str, said: str
) -> None:
    furnace = own_city.furnaces[0].id
    own_city.advice = [ChargeAdvice(furnace, NOW_MS, advice, mean_c, 850.0, "de-27-bimschv@1", "第4条", "section 4")]
    assert said in words(own_client, lang)


def test_nothing_is_said_of_charging_where_nobody_asks_for_a_temperature(client: httpx.Client) -> None:
    assert "data-advice" not in client.get(FURNACE).text
