from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.quantity import quantities
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.formats import UNIT_DECIMALS, Clock, duration, number, size, unit_text
from ingest_service.api.page.texts import texts

SHANGHAI = Clock(ZoneInfo("Asia/Shanghai"))
BERLIN = Clock(ZoneInfo("Europe/Berlin"))


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "text"),
    [
        pytest.param(861.4, "°C", "chamber1_temperature", "861", id="a temperature in whole degrees"),
        pytest.param(9.84, "%", "flue_o2", "9.8", id="oxygen to a tenth"),
        pytest.param(33.6, "%", "burner2_modulation", "34", id="a burner's load in whole per cent"),
        pytest.param(182431.6, "m3", "gas_total", "182,431.6", id="a total with its thousands apart"),
        pytest.param(0.613, "kg/h", "carbon_dosing", "0.61", id="dosing to ten grams"),
        pytest.param(-0.2, "Pa", "chamber_draught", "0", id="no minus before nothing"),
        pytest.param(-18.4, "Pa", "chamber_draught", "-18", id="draught below zero"),
        pytest.param(1.234, "bar", "", "1.23", id="an unknown unit"),
    ],
)
def test_a_number_is_written_at_the_resolution_of_its_quantity(
    value: float, unit: str, quantity: str, text: str
) -> None:
    assert number(value, unit, quantity) == text


def test_every_unit_of_the_catalogue_has_its_decimals() -> None:
    assert {quantity.unit for quantity in quantities().values()} <= set(UNIT_DECIMALS)


@given(st.floats(-1e12, 1e12))
def test_a_number_reads_back_as_what_it_was_to_its_resolution(value: float) -> None:
    assert float(number(value, "%").replace(",", "")) == pytest.approx(value, abs=0.0501, rel=1e-9)


def test_units_are_written_as_people_write_them() -> None:
    assert [unit_text(unit) for unit in ("mg/m3", "m3/h", "°C")] == ["mg/m³", "m³/h", "°C"]


@pytest.mark.parametrize(
    ("span_ms", "zh", "en"),
    [
        (-5, "0 秒", "0 s"),
        (59_999, "59 秒", "59 s"),
        (60_000, "1 分", "1 min"),
        (3_600_000, "1 小时 0 分", "1 h 0 min"),
        (172_799_000, "47 小时 59 分", "47 h 59 min"),
        (172_800_000, "2 天", "2 d"),
    ],
)
def test_a_span_is_told_in_its_largest_sensible_unit(span_ms: int, zh: str, en: str) -> None:
    assert duration(span_ms, texts(Locale.ZH)) == zh
    assert duration(span_ms, texts(Locale.EN)) == en


def test_sizes_have_decimal_units() -> None:
    assert [size(count) for count in (999, 1_000, 523_300, 4_200_000_000, 10**13)] == [
        "999 B", "1.0 kB", "523.3 kB", "4.2 GB", "10.0 TB",
    ]  # fmt: skip


def test_a_time_of_today_stands_alone_and_another_has_its_day() -> None:
    now = ms(2026, 3, 10, 2, 42, 17)
    assert SHANGHAI.short(now - 5000, now) == "10:42:12"
    assert SHANGHAI.short(ms(2026, 3, 9, 15, 59, 0), now) == "03-09 23:59"
    assert SHANGHAI.full(now) == "2026-03-10 10:42:17+08:00"
    assert SHANGHAI.offset(now) == "UTC+08:00"


def test_a_day_begins_at_the_zones_midnight() -> None:
    assert SHANGHAI.day_start_ms(ms(2026, 3, 10, 2, 0)) == ms(2026, 3, 9, 16, 0)
    assert SHANGHAI.day_start_ms(ms(2026, 3, 10, 2, 0), 1) == ms(2026, 3, 8, 16, 0)


def test_yesterday_is_an_hour_shorter_where_the_clocks_went_forward() -> None:
    now = ms(2026, 3, 30, 8, 0)
    assert BERLIN.day_start_ms(now) - BERLIN.day_start_ms(now, 1) == 23 * 3_600_000
