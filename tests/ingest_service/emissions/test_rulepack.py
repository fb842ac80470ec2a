import re
from importlib.resources import files

import pytest

from edge_agent.wire.quantity import PHASES, quantities
from ingest_service.emissions.rulepack import Phase, Pollutant, Verified, load_pack, pack_names, parse_pack
from ingest_service.errors import ConfigError

NAME = "gb13801-2015-table2"
TEXT = files("ingest_service.emissions.rules").joinpath(f"{NAME}.toml").read_text(encoding="utf-8")


def test_table_2_holds_the_figures_of_its_source() -> None:
    pack = load_pack(NAME)
    limits = {limit.pollutant.value: limit.limit for limit in pack.judged}
    assert limits == {"dust": 30.0, "so2": 30.0, "nox": 200.0, "co": 150.0, "hcl": 30.0}
    assert {limit.pollutant.value: limit.limit for limit in pack.periodic} == {
        "mercury": 0.1,
        "dioxins": 0.5,
        "blackness": 1.0,
    }
    assert pack.reference_o2_pct == 11.0
    assert pack.validity.valid_minutes == 45


def test_reference_oxygen_is_marked_as_to_be_confirmed() -> None:
    reference = load_pack(NAME).reference
    assert reference is not None
    assert reference.verified is Verified.UNVERIFIED
    assert "confirm" in reference.confirm_en
    assert "确认" in reference.confirm_zh


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_is_sound_and_cites_its_sources(name: str) -> None:
    pack = load_pack(name)
    assert pack.id == name
    if not pack.judged:
        return
    cited = [(limit.source, limit.clause_zh, limit.clause_en) for limit in pack.limit]
    cited += [(limit.source, limit.clause_zh, limit.clause_en) for limit in pack.periodic]
    assert cited
    assert all(all(texts) for texts in cited)
    assert pack.source


def test_limits_of_a_pack_that_nobody_checked_are_not_judged() -> None:
    unread = '\n[[unread]]\nzh = "表2"\nen = "Table 2"\nwhere = "the standard"\n'
    text = TEXT.replace('verified = "secondary_source"', 'verified = "unverified"', 1) + unread
    pack = parse_pack(text, "pack.toml")
    assert len(pack.limit) == 5
    assert pack.judged == ()


def test_phases_and_pollutants_are_those_of_the_wire_contract() -> None:
    assert [phase.value for phase in Phase] == [PHASES[code] for code in sorted(PHASES)]
    assert {pollutant.value for pollutant in Pollutant} <= set(quantities())


@pytest.mark.parametrize(
    ("old", "new", "key", "allowed"),
    [
        pytest.param("[reference]\n", "[referenc]\n", "referenc", "reference", id="a misspelt table"),
        pytest.param('pollutant = "hcl"', 'pollutant = "hf"', "limit[4].pollutant", "hcl", id="an unknown pollutant"),
        pytest.param('"mercury"', '"lead"', "periodic[0].pollutant", "dioxins", id="an unknown laboratory pollutant"),
        pytest.param('unit = "mg/m3"', 'unit = "lb/h"', "limit[0].unit", "mg/m3", id="a unit that nobody knows"),
        pytest.param('unit = "mg/m3"', 'unit = "ppm"', "limit[0]", "mg/m3, ug/m3", id="dust in a unit of gases"),
        pytest.param('unit = "mg/m3"', 'unit = "%"', "limit[0]", "mg/m3", id="a unit that cannot be converted"),
        pytest.param(
            "valid_from = 2015-07-01",
            "valid_from = 2015-07-01\nvalid_to = 2015-06-30",
            "top level",
            "",
            id="an end before the beginning",
        ),
        pytest.param("limit = 30.0", "limit = nan", "limit[0]", "", id="a limit that is no number"),
        pytest.param("limit = 30.0", "limit = inf", "limit[0]", "", id="a limit without end"),
        pytest.param("limit = 30.0", "limit = -30.0", "limit[0]", "", id="a limit below nothing"),
        pytest.param("limit = 30.0", "limit = 30.0\nresolution = nan", "limit[0]", "", id="a resolution of nothing"),
        pytest.param("limit = 0.1", "limit = 0.0", "periodic[0]", "", id="a laboratory limit of nothing"),
        pytest.param("unit_type", "unit_typ", "unit_typ", "unit_type", id="a misspelt key"),
        pytest.param(
            "o2_base_pct = ", "o2_bas_pct = ", "reference.o2_bas_pct", "o2_base_pct", id="a misspelt inner key"
        ),
        pytest.param('"preheat"', '"warmup"', "exclusion.phases[1]", "preheat", id="an unknown phase"),
        pytest.param("clock_hour", "whole_week", "limit[0].averaging", "clock_hour", id="an unknown averaging"),
        pytest.param("valid_minutes = 45", 'valid_minutes = "45"', "validity.valid_minutes", "", id="a wrong type"),
        pytest.param("valid_minutes = 45", "valid_minutes = 61", "validity", "", id="more minutes than an hour has"),
        pytest.param("o2_pct = 11.0", "o2_pct = 25.0", "reference", "", id="an impossible reference oxygen"),
        pytest.param('pollutant = "hcl"', 'pollutant = "co"', "top level", "", id="two limits for one pollutant"),
        pytest.param("[reference]", "[reference", "", "", id="no TOML at all"),
    ],
)
def test_a_pack_is_refused_with_file_key_and_what_is_allowed(old: str, new: str, key: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_pack(TEXT.replace(old, new, 1), "pack.toml")
    assert re.match(r"pack\.toml(:\d+)?: ", str(refused.value))
    assert refused.value.key == key
    assert allowed in refused.value.allowed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('pollutant = "hcl"', 'pollutant = "hf"', id="a value"),
        pytest.param("valid_minutes = 45", "valid_minute = 45", id="a key"),
        pytest.param('id = "gb', 'ident = "gb', id="a key at the top"),
    ],
)
def test_a_refusal_names_the_line(old: str, new: str) -> None:
    text = TEXT.replace(old, new, 1)
    line = next(number for number, written in enumerate(text.splitlines(), 1) if new in written)
    with pytest.raises(ConfigError) as refused:
        parse_pack(text, "pack.toml")
    assert refused.value.file == f"pack.toml:{line}"


def test_a_concentration_without_reference_oxygen_is_refused_with_the_remedy() -> None:
    begin, end = TEXT.index("[reference]"), TEXT.index("[validity]")
    with pytest.raises(ConfigError, match=r"dust needs reference oxygen: add \[reference\] with o2_pct"):
        parse_pack(TEXT[:begin] + TEXT[end:], "pack.toml")


@pytest.mark.parametrize(
    ("averaging", "left_out", "needed"),
    [
        ("day", "valid_hours = 20\n", "validity.valid_hours"),
        ("month", "valid_days_february = 23\n", "validity.valid_days_february"),
    ],
)
def test_a_long_mean_without_its_rule_of_validity_is_refused(averaging: str, left_out: str, needed: str) -> None:
    text = TEXT.replace('averaging = "clock_hour"', f'averaging = "{averaging}"', 1)
    assert parse_pack(text, "pack.toml").limit[0].averaging == averaging
    with pytest.raises(ConfigError, match=f"needs .*{needed}"):
        parse_pack(text.replace(left_out, "", 1), "pack.toml")


def test_a_share_goes_with_its_averaging_alone() -> None:
    share = (
        '[limit.share]\nat_least_pct = 95.0\nof = "year"\neach = "halves_of_first_hour"\n\n[[limit]]\npollutant = "so2"'
    )
    text = TEXT.replace('[[limit]]\npollutant = "so2"', share, 1)
    with pytest.raises(ConfigError, match="share goes with averaging share_of_cremations"):
        parse_pack(text, "pack.toml")
    text = text.replace('averaging = "clock_hour"', 'averaging = "share_of_cremations"', 1)
    found = parse_pack(text, "pack.toml").limit[0].share
    assert found is not None
    assert found.at_least_pct == 95.0
    with pytest.raises(ConfigError, match=r"limit\[0\]\.share.*one cremation"):
        parse_pack(text.replace('"halves_of_first_hour"', '"day"'), "pack.toml")


def test_an_unverified_pack_that_does_not_say_what_to_read_is_refused() -> None:
    text = TEXT.replace('verified = "secondary_source"', 'verified = "unverified"', 1)
    with pytest.raises(ConfigError, match="what to read"):
        parse_pack(text, "pack.toml")


def test_an_unknown_pack_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=NAME):
        load_pack("gb13801-2009")
