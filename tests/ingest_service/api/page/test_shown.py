import msgspec
import pytest

from edge_agent.wire.quantity import quantities
from edge_agent.wire.sample import Reason
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.emission_view import EMISSIONS
from ingest_service.api.page.furnace import GROUPS, technical_quantities
from ingest_service.api.page.hour_bar import hour_bar
from ingest_service.api.page.shown import series_name, shown
from ingest_service.api.page.texts import texts
from ingest_service.api.readings import Reading
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.rulepack import LimitUnit, Pollutant
from ingest_service.store.overview import KnownSeries
from tests.ingest_service.api.test_readings import SERIES

EN, ZH = texts(Locale.EN), texts(Locale.ZH)


def of(quantity: str, value: float | None, reason: Reason = Reason.GOOD, **changes: object) -> Reading:
    unit = quantities()[quantity].unit if quantity in quantities() else ""
    series = msgspec.structs.replace(SERIES, quantity=quantity, channel=quantity or "x", unit=unit, **changes)
    return Reading(series, value, reason, 99_000)


@pytest.mark.parametrize(
    ("reading", "zh", "en"),
    [
        pytest.param(of("chamber2_temperature", 904.2), ("904", "°C", ""), ("904", "°C", ""), id="a number"),
        pytest.param(of("phase", 4.0), ("主燃", "", ""), ("Main burn", "", ""), id="a phase"),
        pytest.param(of("charge_door_open", 1.0), ("开", "", ""), ("open", "", ""), id="a door"),
        pytest.param(of("burner2_on", 0.0), ("停", "", ""), ("off", "", ""), id="a burner"),
        pytest.param(of("trolley_in", 1.0), ("到位", "", ""), ("in", "", ""), id="the trolley"),
        pytest.param(of("", 1.0, datatype=11), ("运行", "", ""), ("on", "", ""), id="a contact of no known quantity"),
        pytest.param(
            of("", 2.0, states={2: "hold"}), ("hold", "", ""), ("hold", "", ""), id="a state that the device names"
        ),
        pytest.param(of("phase", 9.0), ("9", "", ""), ("9", "", ""), id="a phase that nobody knows"),
        pytest.param(
            of("so2", None, Reason.WIRE_BREAK),
            ("信号断线", "", "无效"),
            ("broken wire", "", "invalid"),
            id="a bad value",
        ),
        pytest.param(
            of("so2", 3.0, Reason.UNCERTAIN),
            ("3.0", "mg/m³", "存疑"),
            ("3.0", "mg/m³", "uncertain"),
            id="a doubt",
        ),
        pytest.param(
            of("so2", 3.0, Reason.STALE), ("3.0", "mg/m³", "已过时"), ("3.0", "mg/m³", "stale"), id="a stale value"
        ),
        pytest.param(
            of("so2", None, Reason.STALE), ("—", "", "已过时"), ("—", "", "stale"), id="a stale value that was bad"
        ),
        pytest.param(Reading(SERIES), ("尚无数据", "", ""), ("no data yet", "", ""), id="nothing yet"),
    ],
)
def test_a_reading_in_words(reading: Reading, zh: tuple[str, str, str], en: tuple[str, str, str]) -> None:
    for t, expected in ((ZH, zh), (EN, en)):
        found = shown(reading, 100_000, t)
        assert (found.text, found.unit, found.why) == expected


@pytest.mark.parametrize(
    ("series", "name"),
    [
        (SERIES, "Carbon monoxide"),
        (msgspec.structs.replace(SERIES, name_en="CO after the filter"), "CO after the filter"),
        (msgspec.structs.replace(SERIES, quantity="", name_zh="备用"), "备用"),
        (msgspec.structs.replace(SERIES, quantity="", channel="ai_17"), "ai_17"),
    ],
)
def test_a_series_is_called_what_its_edge_calls_it_else_by_its_quantity(series: KnownSeries, name: str) -> None:
    assert series_name(series, EN) == name


def test_every_quantity_has_its_place_on_the_page() -> None:
    placed = [quantity for group in GROUPS.values() for quantity in group]
    assert sorted([*placed, *EMISSIONS, "phase", *technical_quantities()]) == sorted(quantities())


@pytest.mark.parametrize(
    ("mean", "fill", "against"),
    [
        (0.0, 0.0, "below"),
        (75.0, 50.0, "below"),
        (150.0, 100.0, "below"),
        (150.1, 100.1, "over"),
        (900.0, 120.0, "over"),
    ],
)
def test_a_bar_stands_against_its_limit(mean: float, fill: float, against: str) -> None:
    bar = hour_bar(preview(mean), EN)
    assert bar is not None
    assert (bar.fill, bar.against) == (fill, against)


def test_an_hour_without_a_mean_has_no_bar() -> None:
    assert hour_bar(preview(None), EN) is None


def test_a_bar_says_in_words_what_it_shows() -> None:
    bar = hour_bar(preview(51.94), ZH)
    assert bar is not None
    assert bar.sentence == "一氧化碳 本小时折算均值 51.9 mg/m³，限值 150 mg/m³"


def preview(mean: float | None) -> Preview:
    return Preview(
        furnace_id=1,
        rule="law@1",
        pollutant=Pollutant.CO,
        start_ms=0,
        until_ms=60_000,
        mean=mean,
        peak=mean,
        limit=150.0,
        unit=LimitUnit.MG_PER_M3,
        valid_minutes=12,
        valid_minutes_needed=45,
        cause="" if mean is not None else "no_o2",
    )
