import msgspec

from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.packdiff import Change, differences
from ingest_service.emissions.rulepack import load_pack
from tests.ingest_service.emissions.gas import PACK, limit_over, pack_of


def test_a_pack_does_not_differ_from_itself() -> None:
    assert differences(PACK, PACK) == []


def test_a_changed_figure_is_named_by_what_it_limits() -> None:
    changed = tuple(msgspec.structs.replace(one, limit=20.0) if one.pollutant == "hcl" else one for one in PACK.limit)
    new = msgspec.structs.replace(PACK, version="2", limit=changed)
    assert differences(PACK, new) == [
        Change("version", "1", "2"),
        Change("limit[hcl clock_hour at_most].limit", "30.0", "20.0"),
    ]


def test_a_limit_that_only_one_pack_has_is_told_key_by_key() -> None:
    hourly, short = limit_over(Averaging.CLOCK_HOUR), limit_over(Averaging.TEN_MINUTES)
    changes = {change.key: change for change in differences(pack_of(hourly), pack_of(hourly, short))}
    assert changes["limit[co ten_minutes at_most].limit"] == Change("limit[co ten_minutes at_most].limit", "", "50.0")
    assert all(change.old == "" for change in changes.values())


def test_the_electric_plants_of_germany_differ_in_fuel_and_reference_oxygen() -> None:
    changes = {
        one.key: (one.old, one.new) for one in differences(*map(load_pack, ("de-27-bimschv", "de-27-bimschv-electric")))
    }
    assert changes["reference.o2_pct"] == ("11.0", "15.0")
    assert changes["fuel"] == ("gas, oil", "electricity")
