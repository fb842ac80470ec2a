"""The table of judged hours, by cases."""

from zoneinfo import ZoneInfo

import msgspec

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.formats import Clock
from ingest_service.api.page.hours import hours_table
from ingest_service.api.page.texts import texts
from ingest_service.emissions.rulepack import Limit, load_pack
from ingest_service.store.trends import JudgedPeriod
from tests.support.city import HOUR_MS, NOW_MS

CLOCK = Clock(ZoneInfo("Asia/Shanghai"))
EN = texts(Locale.EN)
LIMITS = [limit for limit in load_pack("gb13801-2015-table2").limit if limit.pollutant in ("co", "hcl")]
LAST_HOUR_MS = NOW_MS // HOUR_MS * HOUR_MS - HOUR_MS  # 9:00 in Shanghai
WITHIN = JudgedPeriod(
    furnace_id=1,
    rule="law@1",
    pollutant="co",
    start_ms=LAST_HOUR_MS,
    end_ms=LAST_HOUR_MS + HOUR_MS,
    mean=51.94,
    peak=80.0,
    limit=150.0,
    unit="mg/m3",
    valid_minutes=58,
    verdict="within",
    cause="",
    revision=0,
    revision_reason="",
    computed_at_ms=NOW_MS,
)
IDLE = msgspec.structs.replace(
    WITHIN, mean=None, peak=None, valid_minutes=0, verdict="not_judged", cause="not_operating"
)


def both(period: JudgedPeriod, hours_ago: int) -> list[JudgedPeriod]:
    """The period for CO and for HCl, so many hours before the last one."""
    start_ms = LAST_HOUR_MS - hours_ago * HOUR_MS
    moved = msgspec.structs.replace(period, start_ms=start_ms, end_ms=start_ms + HOUR_MS)
    return [moved, msgspec.structs.replace(moved, pollutant="hcl", limit=30.0)]


def rows(periods: list[JudgedPeriod], limits: list[Limit] = LIMITS) -> list[tuple[str, str, list[str]]]:
    """Day, label and cells (or cause) of every row."""
    table = hours_table(periods, limits, NOW_MS, CLOCK, EN)
    return [
        (day.label, row.label, [cell.mean for cell in row.cells] or [row.cause])
        for day in table.days
        for row in day.rows
    ]


def test_nothing_judged_is_an_empty_table() -> None:
    assert rows([]) == []


def test_an_hour_is_a_row_and_a_pollutant_a_column() -> None:
    assert rows(both(WITHIN, 0)) == [("Today 2026-03-10", "09:00", ["51.9", "51.9"])]


def test_the_columns_follow_the_limits_in_force() -> None:
    table = hours_table(both(WITHIN, 0), LIMITS, NOW_MS, CLOCK, EN)
    assert [(column.name, column.limit) for column in table.columns] == [("CO", "150"), ("HCl", "30")]


def test_idle_hours_are_drawn_together_but_not_over_midnight() -> None:
    periods = [*both(WITHIN, 0), *(period for ago in range(1, 13) for period in both(IDLE, ago)), *both(WITHIN, 13)]
    assert rows(periods) == [
        ("Today 2026-03-10", "09:00", ["51.9", "51.9"]),
        ("Today 2026-03-10", "00:00–09:00", ["not operating"]),
        ("Yesterday 2026-03-09", "21:00–24:00", ["not operating"]),
        ("Yesterday 2026-03-09", "20:00", ["51.9", "51.9"]),
    ]


def test_an_hour_in_which_one_pollutant_was_judged_stands_by_itself() -> None:
    mixed = [both(WITHIN, 0)[0], msgspec.structs.replace(both(IDLE, 0)[1], cause="no_channel")]
    (only,) = hours_table(mixed, LIMITS, NOW_MS, CLOCK, EN).days[0].rows
    assert [(cell.mean, cell.verdict, cell.why) for cell in only.cells] == [
        ("51.9", "within", ""),
        ("–", "not_judged", "no such channel"),
    ]


def test_a_pollutant_without_a_judgement_is_a_dash() -> None:
    assert rows(both(WITHIN, 0)[:1]) == [("Today 2026-03-10", "09:00", ["51.9", "–"])]


def test_of_two_laws_the_stricter_limit_is_shown() -> None:
    stricter = msgspec.structs.replace(WITHIN, rule="local@1", limit=50.0, verdict="exceeded")
    table = hours_table([stricter, WITHIN], LIMITS[:1], NOW_MS, CLOCK, EN)
    assert table.days[0].rows[0].cells[0].verdict == "exceeded"


def test_an_invalid_hour_keeps_its_number_its_minutes_and_its_cause() -> None:
    invalid = msgspec.structs.replace(WITHIN, verdict="invalid", valid_minutes=31, cause="missing_o2")
    (cell, _) = hours_table([invalid], LIMITS, NOW_MS, CLOCK, EN).days[0].rows[0].cells
    assert (cell.verdict, cell.mean, cell.valid_minutes, cell.why) == ("invalid", "51.9", 31, "oxygen missing")
