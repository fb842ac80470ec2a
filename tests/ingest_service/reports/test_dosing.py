import msgspec
import numpy as np
import pytest

from ingest_service.alarms.vocabulary import Locale
from ingest_service.cycles.cycle import Cycle
from ingest_service.emissions.columns import Means
from ingest_service.reports.dosing import dosing_of, in_all
from ingest_service.reports.forms import Form, render
from ingest_service.reports.model import DosedCremation, Dosing
from tests.ingest_service.reports.examples import MINUTE_MS, cremation, full_part, report, telling

BURNED = cremation(8, cooling_ms=cremation(8).charge_ms + 60 * MINUTE_MS)


def minutes(*values: float, first: int = 0) -> Means:
    """Minute means from so many minutes after the charge on."""
    column = np.array(values)
    start_ms = BURNED.charge_ms + (first + np.arange(len(values), dtype=np.int64)) * MINUTE_MS
    ones = np.ones(len(values), np.float32)
    return Means(np.full(len(values), 7, np.int32), start_ms, column, column, column, ones)


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        pytest.param(minutes(*[0.4] * 60), (60, 60, 60), id="dosed all the time"),
        pytest.param(minutes(*[0.4] * 45, *[0.0] * 15), (60, 60, 45), id="it stopped"),
        pytest.param(minutes(*[0.01] * 60), (60, 60, 0), id="noise of a screw that stands"),
        pytest.param(minutes(*[0.4] * 30, *[np.nan] * 30), (60, 30, 30), id="half of it is not known"),
        pytest.param(minutes(*[0.4] * 90, first=-15), (60, 60, 60), id="heating and cooling do not count"),
        pytest.param(minutes(), (60, 0, 0), id="nothing is known"),
    ],
)
def test_dosing_is_told_from_the_charge_to_the_cooling(means: Means, expected: tuple[int, int, int]) -> None:
    (found,) = dosing_of({"lime_dosing": means}, [BURNED])
    assert found == DosedCremation(BURNED.case_number, (Dosing("lime_dosing", *expected),))


def test_what_has_no_channel_is_not_told_and_a_share_without_minutes_is_none() -> None:
    assert dosing_of({}, [BURNED]) == (DosedCremation(BURNED.case_number, ()),)
    assert Dosing("lime_dosing", 60, 0, 0).on_pct is None


def test_cremations_add_up() -> None:
    other: Cycle = cremation(10)
    each = dosing_of({"lime_dosing": minutes(*[0.4] * 30, *[0.0] * 30), "carbon_dosing": minutes()}, [BURNED, other])
    assert in_all(each) == (Dosing("lime_dosing", 135, 60, 30), Dosing("carbon_dosing", 135, 0, 0))
    assert in_all(each)[0].on_pct == 50.0


@pytest.mark.parametrize(("locale", "reagent"), [(Locale.EN, "Lime dosing"), (Locale.ZH, "消石灰投加量")])
def test_a_report_tells_of_dosing_in_all_and_during_each_cremation(locale: Locale, reagent: str) -> None:
    dosed = dosing_of({"lime_dosing": minutes(*[0.4] * 45, *[0.0] * 15)}, [BURNED])
    part = msgspec.structs.replace(full_part(), cremations=(BURNED,), dosed=dosed)
    table = render(report(part), Form.CSV, telling(locale)).content.decode()
    furnace = telling(locale).furnace(part.furnace)
    assert f"{furnace},{reagent},60,60,45,75.0" in table
    (row,) = (line for line in table.splitlines() if BURNED.case_number in line)
    assert row.endswith(",53.0,75.0,"), "of carbon nothing is known"
