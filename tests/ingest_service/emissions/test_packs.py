"""The packs that come with the product, against their figures in tests/cases/rules."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from ingest_service.emissions.pack import RulePack
from ingest_service.emissions.rulepack import load_pack, pack_names
from ingest_service.emissions.vocabulary import Verified

CASES = Path(__file__).parents[2] / "cases" / "rules"
PACKS = [load_pack(name) for name in pack_names()]
JUDGED = [pack for pack in PACKS if pack.judged]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pollutant: str
    limit: float
    unit: str
    place: str
    averaging: str = ""
    bound: str = ""


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: list[Row]
    laboratory: list[Row] = []
    reference_o2_pct: float | None = None


def golden(name: str) -> Golden:
    return msgspec.convert(tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8")), Golden)


@pytest.mark.parametrize("name", [pack.id for pack in JUDGED])
def test_a_judged_pack_holds_the_figures_of_its_source_and_no_others(name: str) -> None:
    pack, wanted = load_pack(name), golden(name)
    limits = {(one.pollutant, one.averaging, one.bound): (one.limit, one.unit) for one in pack.judged}
    assert limits == {(row.pollutant, row.averaging, row.bound): (row.limit, row.unit) for row in wanted.limit}
    laboratory = {one.pollutant: (one.limit, one.unit) for one in pack.periodic}
    assert laboratory == {row.pollutant: (row.limit, row.unit) for row in wanted.laboratory}
    assert pack.reference_o2_pct == wanted.reference_o2_pct
    assert all(row.place for row in [*wanted.limit, *wanted.laboratory])


def test_every_judged_pack_has_its_golden_figures_and_no_other_has() -> None:
    assert {path.stem for path in CASES.glob("*.toml")} == {pack.id for pack in JUDGED}


@pytest.mark.parametrize("known", [pack for pack in PACKS if not pack.judged], ids=lambda pack: pack.id)
def test_a_pack_that_nobody_has_read_holds_no_figure_and_says_what_to_read(known: RulePack) -> None:
    assert known.verified is Verified.UNVERIFIED
    assert (known.limit, known.periodic) == ((), ())
    assert all(one.zh and one.en and one.where for one in known.unread)


@pytest.mark.parametrize("known", PACKS, ids=lambda pack: pack.id)
def test_every_limit_says_where_it_and_its_averaging_stand(known: RulePack) -> None:
    for limit in known.limit:
        assert all((limit.clause_zh, limit.clause_en, limit.source, limit.averaging_source))
    assert known.rounding.source or not known.judged
    assert known.validity.source
    assert known.exclusion.note_zh
    assert known.exclusion.note_en


def test_the_countries_are_there() -> None:
    assert {pack.jurisdiction for pack in JUDGED} == {"CN", "DE", "NO", "US-NY"}
    assert {pack.jurisdiction for pack in PACKS} >= {"CN-11", "GB", "FR"}
