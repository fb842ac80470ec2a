from datetime import date

import msgspec
import pytest

from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.rulebook import Assignment, RuleBook, chosen, governing, refuse_overlaps
from ingest_service.emissions.rulepack import load_pack, pack_names
from ingest_service.emissions.units import LimitUnit
from ingest_service.emissions.vocabulary import Bound, Fuel, PackKind, UnitType
from ingest_service.errors import ConfigError
from tests.ingest_service.emissions.gas import PACK, limit_over, pack_of

EVERY = [load_pack(name) for name in pack_names()]
DAY = date(2026, 3, 2)


def version(number: str, valid_from: date, valid_to: date | None = None) -> RulePack:
    return msgspec.structs.replace(PACK, version=number, valid_from=valid_from, valid_to=valid_to)


def permit(*limits: Limit) -> RulePack:
    return msgspec.structs.replace(pack_of(*limits), id="permit", kind=PackKind.PERMIT)


def keys(packs: tuple[RulePack, ...]) -> list[str]:
    return [pack.key for pack in packs]


@pytest.mark.parametrize(
    ("home", "furnace", "expected"),
    [
        ("h1", "f1", "de-27-bimschv@1"),
        ("h1", "f2", "no-pollution-regulations-10@1"),
        ("h2", "f1", "gb13801-2015-table2@1"),
    ],
)
def test_the_most_specific_assignment_counts(home: str, furnace: str, expected: str) -> None:
    germany, norway = load_pack("de-27-bimschv"), load_pack("no-pollution-regulations-10")
    book = RuleBook((PACK,), (Assignment("h1", "f1", (germany,)), Assignment("h1", "", (norway,))))
    assert keys(book.of(home, furnace)) == [expected]
    assert len(book.packs) == 3


@pytest.mark.parametrize(
    ("jurisdiction", "unit", "fuel", "expected"),
    [
        ("CN", UnitType.CREMATOR, Fuel.OIL, ["gb13801-2015-table2"]),
        ("CN", UnitType.OFFERING_INCINERATOR, None, ["gb13801-2015-table3"]),
        ("DE", UnitType.CREMATOR, Fuel.GAS, ["de-27-bimschv"]),
        ("DE", UnitType.CREMATOR, Fuel.ELECTRICITY, ["de-27-bimschv-electric"]),
        ("DE", UnitType.CREMATOR, None, []),
        ("GB", UnitType.CREMATOR, Fuel.GAS, ["gb-pg-5-2-12", "gb-pgn-5-2-25"]),
        ("XX", UnitType.CREMATOR, Fuel.GAS, []),
    ],
)
def test_packs_are_chosen_by_jurisdiction_kind_and_fuel(
    jurisdiction: str, unit: UnitType, fuel: Fuel | None, expected: list[str]
) -> None:
    assert [pack.id for pack in chosen(EVERY, jurisdiction, unit, fuel)] == expected


def test_versions_that_hold_on_one_day_are_refused_with_the_remedy() -> None:
    old, new = version("1", date(2015, 7, 1)), version("2", date(2026, 1, 1))
    with pytest.raises(ConfigError, match=r"table2@1 and .*table2@2 both hold from 2026-01-01: end the older one"):
        refuse_overlaps([new, old], "service.toml", "judging.packs")


def test_versions_that_follow_each_other_are_fine_and_each_holds_on_its_days() -> None:
    old, new = version("1", date(2015, 7, 1), date(2025, 12, 31)), version("2", date(2026, 1, 1))
    refuse_overlaps([old, new], "service.toml", "judging.packs")
    assert [pack.in_force(date(2025, 12, 31)) for pack in (old, new)] == [True, False]
    assert [pack.in_force(date(2026, 1, 1)) for pack in (old, new)] == [False, True]


def governed(*packs: RulePack) -> list[str]:
    return [f"{pack.id} {limit.limit:g} {limit.averaging}" for pack, limit in governing(packs, DAY)]


HOURLY = limit_over(Averaging.CLOCK_HOUR, 100.0)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param(80.0, ["permit 80 clock_hour"], id="a stricter permit governs"),
        pytest.param(120.0, ["gb13801-2015-table2 100 clock_hour"], id="a laxer permit does not"),
        pytest.param(100.0, ["gb13801-2015-table2 100 clock_hour"], id="of equals the law"),
    ],
)
def test_the_stricter_of_law_and_permit_governs(own: float, expected: list[str]) -> None:
    assert governed(pack_of(HOURLY), permit(limit_over(Averaging.CLOCK_HOUR, own))) == expected


def test_limits_are_compared_in_one_unit() -> None:
    in_ppm = msgspec.structs.replace(HOURLY, limit=70.0, unit=LimitUnit.PPM)  # 87.5 mg/m3
    assert governed(pack_of(HOURLY), permit(in_ppm)) == ["permit 70 clock_hour"]


def test_limits_over_other_periods_or_at_other_oxygen_stand_beside_each_other() -> None:
    short = limit_over(Averaging.TEN_MINUTES, 50.0)
    assert len(governed(pack_of(HOURLY), permit(short))) == 2
    assert PACK.reference is not None
    reference = msgspec.structs.replace(PACK.reference, o2_pct=15.0)
    other = msgspec.structs.replace(permit(limit_over(Averaging.CLOCK_HOUR, 50.0)), reference=reference)
    assert len(governed(pack_of(HOURLY), other)) == 2


def test_the_higher_of_two_minima_governs() -> None:
    lower, higher = (limit_over(Averaging.CLOCK_HOUR, value, Bound.AT_LEAST) for value in (800.0, 850.0))
    assert governed(pack_of(lower), permit(higher)) == ["permit 850 clock_hour"]


def test_a_permit_that_does_not_hold_yet_governs_nothing() -> None:
    later = msgspec.structs.replace(permit(limit_over(Averaging.CLOCK_HOUR, 10.0)), valid_from=date(2027, 1, 1))
    assert governed(pack_of(HOURLY), later) == ["gb13801-2015-table2 100 clock_hour"]
