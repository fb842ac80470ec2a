"""From the configuration to the rule book: which packs hold for which furnace."""

from pathlib import Path

from ingest_service.config import FurnaceRules, Judging
from ingest_service.emissions.pack import RulePack
from ingest_service.emissions.rulebook import Assignment, RuleBook, chosen, refuse_overlaps
from ingest_service.emissions.rulepack import load_pack, pack_names, read_pack
from ingest_service.emissions.vocabulary import PackKind
from ingest_service.errors import ConfigError


def rule_book(judging: Judging, file: str) -> RuleBook:
    """The book of the configuration in `file`. Raises ConfigError where a pack or an assignment is wrong."""
    usual = tuple(load_pack(name) for name in judging.packs)
    refuse_overlaps(usual, file, "judging.packs")
    assignments = tuple(_assignment(one, file, f"judging.furnace[{at}]") for at, one in enumerate(judging.furnace))
    places = [(one.home, one.furnace) for one in assignments]
    for at, place in enumerate(places):
        if place in places[:at]:
            raise ConfigError(file, f"judging.furnace[{at}]", "names the same home and furnace as an entry before it")
    return RuleBook(usual, assignments)


def _assignment(one: FurnaceRules, file: str, key: str) -> Assignment:
    packs = [load_pack(name) for name in one.packs] or _of_jurisdiction(one, file, key)
    if one.permit:
        permit = read_pack(Path(one.permit))
        if permit.kind is not PackKind.PERMIT:
            raise ConfigError(one.permit, "kind", f"is {permit.kind!s}", "permit")
        packs.append(permit)
    refuse_overlaps(packs, file, key)
    return Assignment(one.home, one.furnace, tuple(packs))


def _of_jurisdiction(one: FurnaceRules, file: str, key: str) -> list[RulePack]:
    every = [load_pack(name) for name in pack_names()]
    found = chosen(every, one.jurisdiction, one.unit_type, one.fuel)
    if not found:
        known = sorted({f"{pack.jurisdiction} ({pack.unit_type})" for pack in every})
        what = f"no pack for {one.jurisdiction!r}, {one.unit_type!s}, fuel {one.fuel or 'not given'!s}"
        raise ConfigError(file, f"{key}.jurisdiction", what, ", ".join(known))
    return found
