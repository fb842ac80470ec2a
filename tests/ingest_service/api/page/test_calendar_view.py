from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.calendar_view import DayRow, Found, JudgedCremation, calendar, totals
from ingest_service.api.page.formats import Clock
from ingest_service.api.page.levels import Level, level_of
from ingest_service.api.page.texts import texts
from ingest_service.store.marks import MarkRow
from ingest_service.store.short_periods import ShortPeriods
from tests.ingest_service.reports.examples import DAY, HOUR_MS, HOURS, MARK, PACK, over, period

CLOCK, BERLIN = Clock(ZoneInfo("Asia/Shanghai")), Clock(ZoneInfo("Europe/Berlin"))
EN = texts(Locale.EN)
MARCH = date(2026, 3, 1)


def found(marks: tuple[MarkRow, ...] = ()) -> Found:
    return Found(HOURS, [over(9)], marks, {PACK.key: 45})


def ninth(what: Found) -> DayRow:
    """The day that the examples are about."""
    return calendar(MARCH, what, DAY.to_ms - 1, CLOCK, EN)[-1]


def test_a_month_ends_with_today() -> None:
    rows = calendar(MARCH, found(), DAY.to_ms - 1, CLOCK, EN)
    assert [row.day for row in rows] == [str(day) for day in range(1, 10)]
    assert rows[-1].label == "2026-03-09"


def test_the_first_month_begins_with_the_first_day_of_which_anything_is_known() -> None:
    first = msgspec.structs.replace(found(), known_before=False)
    assert [row.day for row in calendar(MARCH, first, DAY.to_ms + 24 * HOUR_MS, CLOCK, EN)] == ["9", "10", "11"]
    marked = Found([], [], (MARK,), {}, known_before=False)
    assert calendar(MARCH, marked, DAY.to_ms - 1, CLOCK, EN)[0].day == "9"
    assert calendar(MARCH, Found([], [], (), {}, known_before=False), DAY.to_ms, CLOCK, EN) == []


def burned(hour: int, *verdicts: str) -> JudgedCremation:
    periods = [period(hour, verdict=verdict, averaging="cremation") for verdict in verdicts]
    return JudgedCremation(DAY.from_ms + hour * HOUR_MS, periods)


def test_a_day_counts_the_cremations_that_were_judged_by_the_worst_of_their_limits() -> None:
    judged = [burned(8, "within", "within"), burned(9, "within", "exceeded"), burned(10, "invalid", "within")]
    judged += [burned(11, "within"), burned(12), burned(30, "exceeded")]
    row = ninth(Found([], [], (), {}, judged, known_before=False))
    assert [(count.sign, count.n) for count in row.cremations] == [("▲", 1), ("×", 1), ("●", 2)]
    assert row.words == (
        "cremations over a limit 1; cremations without a valid mean 1; cremations within their limits 2"
    )


def test_a_cremation_without_oxygen_is_not_counted_as_kept() -> None:
    period_without = period(8, None, "not_judged", "no_o2", averaging="cremation")
    row = ninth(Found([], [], (), {}, [JudgedCremation(period_without.start_ms, [period_without])]))
    assert [count.level for count in row.cremations] == [Level.LOST]


def test_every_hour_has_a_sign_for_what_became_of_it() -> None:
    row = ninth(found())
    assert "".join(cell.sign or " " for cell in row.cells[6:14]) == " ◦●▲×●––"
    assert row.words == "over a limit 1; no valid mean 1; within its limits 2; operated too briefly 1; not operating 12"


def test_the_words_of_an_hour_say_why_with_the_minutes() -> None:
    cells = ninth(found((MARK,))).cells
    assert cells[9].words == "03-09 09:00 over a limit; HCl"
    assert cells[10].words == (
        "03-09 10:00 no valid mean; 31 of 45 minutes needed: marked by an operator; marked: Calibration"
    )
    assert cells[10].marked
    assert not cells[9].marked


def test_a_mark_that_was_corrected_is_not_drawn() -> None:
    corrected = msgspec.structs.replace(MARK, replaced_by=5)
    assert not ninth(found((corrected,))).cells[10].marked


def test_an_hour_shows_the_worst_of_its_limits() -> None:
    both = Found([period(8), period(8, None, "invalid", "missing_o2", pollutant="co")], [], (), {})
    assert ninth(both).cells[8].level is Level.LOST


def test_an_exceedance_of_another_averaging_is_seen_in_its_hours() -> None:
    long = Found([period(8), period(9)], [over(8, 2)], (), {})
    assert [cell.level for cell in ninth(long).cells[8:10]] == [Level.EXCEEDED, Level.EXCEEDED]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-03-28", 24)])
def test_a_day_has_the_hours_that_its_zone_gives_it(day: str, hours: int) -> None:
    rows = calendar(MARCH, Found([], [], (), {}), DAY.to_ms + 40 * 24 * HOUR_MS, BERLIN, EN)
    assert len(next(row for row in rows if row.label == day).cells) == hours


def test_the_month_in_figures() -> None:
    month = totals(calendar(MARCH, found(), DAY.to_ms - 1, CLOCK, EN))
    assert (month.within, month.exceeded, month.lost, month.capture) == (2, 1, 1, "75.0 %")
    assert totals([]).capture == "–"


@pytest.mark.parametrize(
    ("verdict", "cause", "level"),
    [
        ("not_judged", "no_o2", Level.LOST),
        ("not_judged", "not_operating", Level.IDLE),
        ("invalid", "missing_values", Level.LOST),
        ("invalid", "few_operating_minutes", Level.SHORT),
        ("within", "", Level.WITHIN),
        ("exceeded", "", Level.EXCEEDED),
    ],
)
def test_what_cannot_be_judged_is_never_shown_as_kept(verdict: str, cause: str, level: Level) -> None:
    assert level_of(period(8, None, verdict, cause)) is level


def six_minutes(hour: int, verdict: str = "within", **other: object) -> ShortPeriods:
    known: dict[str, object] = {
        "start_ms": DAY.from_ms + hour * HOUR_MS, "rule": PACK.key, "pollutant": "opacity", "averaging": "six_minutes",
        "limit": 20.0, "unit": "%", "verdict": verdict, "cause": "", "periods": 10, "lowest": 2.0, "highest": 12.25,
    }  # fmt: skip
    return msgspec.convert(known | other, ShortPeriods)


NO_MEAN: dict[str, object] = {"lowest": None, "highest": None}
LOST = six_minutes(12, "invalid", cause="missing_values", **NO_MEAN)
STOPPED = six_minutes(12, "not_judged", cause="not_operating", **NO_MEAN)


@pytest.mark.parametrize(
    ("short", "level", "words"),
    [
        pytest.param([six_minutes(12)], Level.WITHIN, "mean of 6 minutes: Opacity 12.2 % (limit 20)", id="within"),
        pytest.param(
            [six_minutes(12), six_minutes(12, "exceeded", lowest=21.0, highest=33.0)], Level.EXCEEDED,
            "worst mean of 6 minutes: Opacity 33.0 % (limit 20)", id="one of them over the limit",
        ),
        pytest.param([six_minutes(12), LOST], Level.WITHIN, "12.2 %", id="some lost"),
        pytest.param([LOST, STOPPED], Level.LOST, "no valid mean", id="all lost"),
        pytest.param([STOPPED], Level.IDLE, "not operating", id="not operating"),
    ],
)  # fmt: skip
def test_an_hour_shows_the_worst_of_its_short_means(short: list[ShortPeriods], level: Level, words: str) -> None:
    cell = ninth(Found([], [], (), {}, short=short)).cells[12]
    assert cell.level is level
    assert words in cell.words


def test_of_a_minimum_the_lowest_short_mean_is_the_worst() -> None:
    subject = (PACK.key, "opacity", "six_minutes")
    cell = ninth(Found([], [], (), {}, short=[six_minutes(12)], minima=frozenset({subject}))).cells[12]
    assert "Opacity 2.0 %" in cell.words


def test_an_hour_is_as_bad_as_the_worst_of_its_long_and_short_means() -> None:
    cells = ninth(Found(HOURS, [over(9)], (), {PACK.key: 45}, short=[six_minutes(10), six_minutes(8)])).cells
    assert [cells[hour].level for hour in (8, 10)] == [Level.WITHIN, Level.LOST]
    assert "Opacity 12.2 %" in cells[10].words
