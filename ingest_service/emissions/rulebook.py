"""Which rule packs hold for which furnace, and which of several limits governs."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import combinations

import msgspec

from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.vocabulary import Bound, Fuel, PackKind, UnitType
from ingest_service.errors import ConfigError


class Assignment(msgspec.Struct, frozen=True):
    """The packs of a home's furnaces; `furnace` "" is every furnace of the home, `home` "" every home."""

    home: str
    furnace: str
    packs: tuple[RulePack, ...]


class RuleBook(msgspec.Struct, frozen=True):
    """The packs of every furnace: those of the most specific assignment, else the `usual` ones."""

    usual: tuple[RulePack, ...]
    assignments: tuple[Assignment, ...] = ()

    def of(self, home: str, furnace: str) -> tuple[RulePack, ...]:
        """The packs of that furnace; which of them hold on a day is theirs to say."""
        fitting = [one for one in self.assignments if one.home in ("", home) and one.furnace in ("", furnace)]
        best = max(fitting, key=lambda one: (bool(one.furnace), bool(one.home)), default=None)
        return self.usual if best is None else best.packs

    @property
    def packs(self) -> tuple[RulePack, ...]:
        """Every pack that holds for any furnace, once."""
        every = [*self.usual, *(pack for one in self.assignments for pack in one.packs)]
        return tuple({pack.key: pack for pack in every}.values())


def chosen(packs: Iterable[RulePack], jurisdiction: str, unit_type: UnitType, fuel: Fuel | None) -> list[RulePack]:
    """The legal texts of a jurisdiction for furnaces of that kind."""
    return [
        pack
        for pack in packs
        if pack.kind is PackKind.LAW
        and pack.jurisdiction == jurisdiction
        and pack.unit_type is unit_type
        and (not pack.fuel or fuel in pack.fuel)
    ]


def refuse_overlaps(packs: Sequence[RulePack], file: str, key: str) -> None:
    """Two versions of one text must not hold on one day. Raises ConfigError; `file` and `key` are where they stand."""
    for one, other in combinations(packs, 2):
        if one.id == other.id and _overlap(one, other):
            first, second = sorted((one, other), key=lambda pack: pack.valid_from)
            raise ConfigError(
                file,
                key,
                f"{first.key} and {second.key} both hold from {second.valid_from}: "
                f"end the older one with valid_to before that day",
            )


def governing(packs: Sequence[RulePack], day: date) -> list[tuple[RulePack, Limit]]:
    """The limits in force on a day without those that a stricter comparable one makes idle; of equals the first."""
    held = [(pack, limit) for pack in packs if pack.in_force(day) for limit in pack.judged]
    strictest: dict[tuple[object, ...], tuple[RulePack, Limit]] = {}
    for pack, limit in held:
        subject = _comparable(pack, limit)
        known = strictest.get(subject)
        if known is None or _stricter(limit, known[1]):
            strictest[subject] = (pack, limit)
    return [(pack, limit) for pack, limit in held if strictest[_comparable(pack, limit)] == (pack, limit)]


def _overlap(one: RulePack, other: RulePack) -> bool:
    ends = [pack.valid_to or date.max for pack in (one, other)]
    return max(one.valid_from, other.valid_from) <= min(ends)


def _comparable(pack: RulePack, limit: Limit) -> tuple[object, ...]:
    """Limits with the same of these can be told apart by their figures alone."""
    rising = limit.bound is Bound.AT_LEAST
    return limit.pollutant, limit.averaging, rising, limit.share, pack.reference_o2_pct, pack.exclusion.phases


def _stricter(limit: Limit, other: Limit) -> bool:
    value, known = limit.scale.inward(limit.limit), other.scale.inward(other.limit)
    if value == known:
        return limit.bound is Bound.BELOW and other.bound is Bound.AT_MOST
    return value > known if limit.bound is Bound.AT_LEAST else value < known
