"""Golden hours (tests/cases/emissions): what was measured, and what must be judged."""

import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ingest_service.emissions.columns import MINUTES
from ingest_service.emissions.judging import judge_spans
from ingest_service.emissions.limits import Basis, Cause, HourRows, Signal, Verdict, Verdicts
from ingest_service.emissions.pack import Limit
from ingest_service.emissions.rulepack import Pollutant, load_pack
from ingest_service.emissions.spans import equal_spans

CASES = Path(__file__).parents[2] / "cases" / "emissions"
PACK = load_pack("gb13801-2015-table2")


class Stretch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes in a row with equal values; what is left out was not valid."""

    count: int
    phase: str
    concentration: float = float("nan")
    o2_pct: float = float("nan")
    moisture_pct: float = float("nan")
    stack_temperature_c: float = float("nan")
    stack_pressure_pa: float = float("nan")
    marked: bool = False


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    verdict: str
    cause: str
    valid_minutes: int
    mean: float | None = None
    peak: float | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pollutant: Pollutant
    basis: str
    minutes: list[Stretch]
    expected: Expected
    o2_is_wet: bool = False
    barometric_pa: float | None = None
    missing: list[str] = []


def load_case(folder: Path) -> Case:
    return msgspec.convert(tomllib.loads((folder / "case.toml").read_text(encoding="utf-8")), Case)


def rows_of(case: Case) -> HourRows:
    counts = [stretch.count for stretch in case.minutes]
    assert sum(counts) == 60

    def signal(name: str, values: list[float]) -> Signal:
        return Signal(np.repeat(values, counts)[None, :], np.array([name not in case.missing]))

    idle = [stretch.phase in PACK.exclusion.phases for stretch in case.minutes]
    return HourRows(
        concentration=signal("concentration", [stretch.concentration for stretch in case.minutes]),
        basis=np.array([Basis[case.basis.upper()]], np.int64),
        unit_known=np.array([True]),
        o2=signal("o2", [stretch.o2_pct for stretch in case.minutes]),
        o2_is_wet=np.array([case.o2_is_wet]),
        moisture=signal("moisture", [stretch.moisture_pct for stretch in case.minutes]),
        stack_temperature=signal("stack_temperature", [stretch.stack_temperature_c for stretch in case.minutes]),
        stack_pressure=signal("stack_pressure", [stretch.stack_pressure_pa for stretch in case.minutes]),
        excluded=np.repeat(idle, counts)[None, :],
        marked=np.repeat([stretch.marked for stretch in case.minutes], counts)[None, :],
    )


def judge_hours(rows: HourRows, limit: Limit, barometric_pa: float | None = None) -> Verdicts:
    return judge_spans(rows, equal_spans(len(rows.basis), MINUTES), limit, PACK, barometric_pa)


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_an_hour_is_judged_as_the_case_says(folder: Path) -> None:
    case = load_case(folder)
    limit = PACK.limit_of(case.pollutant)
    assert limit is not None
    found = judge_hours(rows_of(case), limit, case.barometric_pa)
    assert Verdict(found.verdict[0]).label == case.expected.verdict
    assert Cause(found.cause[0]).label == case.expected.cause
    assert found.valid_minutes[0] == case.expected.valid_minutes
    mean = float("nan") if case.expected.mean is None else case.expected.mean
    assert found.mean[0] == pytest.approx(mean, nan_ok=True)
    if case.expected.peak is not None:
        assert found.peak[0] == pytest.approx(case.expected.peak)


def test_many_hours_at_once_are_judged_as_each_alone() -> None:
    cases = [load_case(folder) for folder in sorted(CASES.iterdir())]
    cases = [case for case in cases if case.barometric_pa is None]
    limit = PACK.limit_of(Pollutant.CO)
    assert limit is not None
    alone = [judge_hours(rows_of(case), limit) for case in cases]
    together = judge_hours(stacked([rows_of(case) for case in cases]), limit)
    for number, one in enumerate(alone):
        assert together.verdict[number] == one.verdict[0]
        assert together.cause[number] == one.cause[0]
        assert together.mean[number] == pytest.approx(one.mean[0], nan_ok=True)


def stacked(rows: list[HourRows]) -> HourRows:
    def signal(name: str) -> Signal:
        parts: list[Signal] = [getattr(row, name) for row in rows]
        return Signal(
            np.concatenate([part.minutes for part in parts]), np.concatenate([part.present for part in parts])
        )

    def column(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return np.concatenate([getattr(row, name) for row in rows])

    signals = ("concentration", "o2", "moisture", "stack_temperature", "stack_pressure")
    return HourRows(
        **{name: signal(name) for name in signals},
        basis=column("basis"),
        o2_is_wet=column("o2_is_wet").astype(np.bool_),
        unit_known=column("unit_known").astype(np.bool_),
        excluded=column("excluded").astype(np.bool_),
        marked=column("marked").astype(np.bool_),
    )
