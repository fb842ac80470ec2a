"""The structure of a rule pack: one legal text, or one site's permit, in one version."""

import math
from datetime import date

import msgspec

from ingest_service.emissions.averages import Averaging, Window
from ingest_service.emissions.rounding import decimals
from ingest_service.emissions.substitution import Substitution
from ingest_service.emissions.units import SCALES, LimitUnit, Pollutant, Scale
from ingest_service.emissions.vocabulary import (
    Bound,
    Compared,
    Fuel,
    MarkedState,
    Origin,
    PackKind,
    PeriodicPollutant,
    PeriodicUnit,
    Phase,
    UnitType,
    Verified,
)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every table of a pack has in common: no key is guessed at."""


class Share(Part, frozen=True, kw_only=True):
    """At least `at_least_pct` of the cremations of a calendar `of` must keep the limit over `each`."""

    at_least_pct: float
    of: Window
    each: Averaging

    def __post_init__(self) -> None:
        if not 0 < self.at_least_pct <= 100:
            raise ValueError("0 < at_least_pct <= 100 must hold")
        if self.each not in (Averaging.FIRST_HOUR_OF_CREMATION, Averaging.HALVES_OF_FIRST_HOUR, Averaging.CREMATION):
            raise ValueError("each must be an averaging of one cremation")


class Limit(Part, frozen=True, kw_only=True):
    """One continuous limit: `limit` in `unit` over `averaging`; `interlock_*` cite a ban on charging beyond it."""

    pollutant: Pollutant
    limit: float
    unit: LimitUnit
    averaging: Averaging
    clause_zh: str
    clause_en: str
    source: str
    averaging_source: str
    bound: Bound = Bound.AT_MOST
    resolution: float | None = None  # None: the last digit in which the limit is written
    share: Share | None = None
    interlock_zh: str = ""
    interlock_en: str = ""

    def __post_init__(self) -> None:
        if self.unit not in SCALES[self.pollutant]:
            known = ", ".join(SCALES[self.pollutant])
            raise ValueError(f"unit {self.unit!s} cannot be converted for {self.pollutant!s}, write it in {known}")
        if (self.share is not None) != (self.averaging is Averaging.SHARE_OF_CREMATIONS):
            raise ValueError("share goes with averaging share_of_cremations, and only with it")
        if not (_is_positive(self.limit) and (self.resolution is None or _is_positive(self.resolution))):
            raise ValueError("limit and resolution must be numbers above 0")

    @property
    def step(self) -> float:
        """The resolution to which means are rounded, in `unit`."""
        return float(self.resolution or 10.0 ** -decimals(self.limit))

    @property
    def scale(self) -> Scale:
        """The limit's unit in the computing unit of its quantity."""
        return SCALES[self.pollutant][self.unit]


class PeriodicLimit(Part, frozen=True, kw_only=True):
    """One limit that is met by laboratory tests."""

    pollutant: PeriodicPollutant
    limit: float
    unit: PeriodicUnit
    clause_zh: str
    clause_en: str
    source: str

    def __post_init__(self) -> None:
        if not _is_positive(self.limit):
            raise ValueError("limit must be a number above 0")


class Reference(Part, frozen=True, kw_only=True):
    """Reference oxygen (% vol, dry). Above `o2_max_pct` no converted value is formed."""

    o2_pct: float
    o2_base_pct: float
    o2_max_pct: float
    verified: Verified
    confirm_zh: str = ""
    confirm_en: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.o2_pct < self.o2_max_pct < self.o2_base_pct <= 21.0:
            raise ValueError("o2_pct < o2_max_pct < o2_base_pct <= 21 must hold")


class Validity(Part, frozen=True, kw_only=True):
    """When a mean counts: valid minutes of an hour (the same share of any other stretch), hours of a day, days."""

    valid_minutes: int
    source: str
    minute_covered_share: float
    minute_note: str
    valid_hours: int | None = None
    valid_days: int | None = None
    valid_days_february: int | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.valid_minutes <= 60 and 0 < self.minute_covered_share <= 1):
            raise ValueError("1 <= valid_minutes <= 60 and 0 < minute_covered_share <= 1 must hold")
        hours, days, february = self.valid_hours or 1, self.valid_days or 1, self.valid_days_february or 1
        if not (1 <= hours <= 24 and 1 <= days <= 28 and 1 <= february <= 28):
            raise ValueError("valid_hours up to 24, valid_days and valid_days_february up to 28 must hold")


class Exclusion(Part, frozen=True, kw_only=True):
    """Phases and marked states whose minutes are left out of the mean, and on whose word."""

    phases: tuple[Phase, ...]
    states: tuple[MarkedState, ...] = ()
    origin: Origin
    note_zh: str
    note_en: str


class Rounding(Part, frozen=True, kw_only=True):
    """How means are rounded (always half to even, to the limit's resolution), and what is held against the limit."""

    compared: Compared = Compared.UNROUNDED
    source: str = ""


class Unread(Part, frozen=True, kw_only=True):
    """What somebody has to read in the text before the pack can be used."""

    zh: str
    en: str
    where: str


class RulePack(Part, frozen=True, kw_only=True):
    """One legal text in one version."""

    id: str
    version: str
    kind: PackKind = PackKind.LAW
    jurisdiction: str
    title_zh: str
    title_en: str
    unit_type: UnitType
    fuel: tuple[Fuel, ...] = ()  # (): whatever the fuel
    valid_from: date
    valid_to: date | None = None  # the last day
    source: str
    verified: Verified
    note_zh: str = ""
    note_en: str = ""
    reference: Reference | None = None
    validity: Validity
    exclusion: Exclusion
    rounding: Rounding = Rounding()
    substitution: Substitution | None = None
    limit: tuple[Limit, ...] = ()
    periodic: tuple[PeriodicLimit, ...] = ()
    unread: tuple[Unread, ...] = ()

    def __post_init__(self) -> None:
        subjects = [(limit.pollutant, limit.averaging, limit.bound) for limit in self.limit]
        if len(set(subjects)) != len(subjects):
            raise ValueError("two limits for one pollutant, averaging and bound")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_from <= valid_to must hold")
        if self.verified is Verified.UNVERIFIED and not self.unread:
            raise ValueError("an unverified pack says under [[unread]] what to read")
        self._check_reference()
        self._check_long_means()

    def _check_reference(self) -> None:
        converted = [limit for limit in self.limit if limit.pollutant.is_concentration]
        if converted and self.reference is None:
            raise ValueError(f"{converted[0].pollutant!s} needs reference oxygen: add [reference] with o2_pct")

    def _check_long_means(self) -> None:
        kinds = {limit.averaging for limit in self.limit}
        if kinds & {Averaging.DAY, Averaging.MONTH} and self.validity.valid_hours is None:
            raise ValueError("a limit over a day or a month needs validity.valid_hours")
        days = (self.validity.valid_days, self.validity.valid_days_february)
        if Averaging.MONTH in kinds and None in days:
            raise ValueError("a limit over a month needs validity.valid_days and validity.valid_days_february")

    @property
    def key(self) -> str:
        """What a judgement names: `<id>@<version>`."""
        return f"{self.id}@{self.version}"

    @property
    def judged(self) -> tuple[Limit, ...]:
        """The limits that are applied: none of a pack that nobody has checked."""
        return () if self.verified is Verified.UNVERIFIED else self.limit

    @property
    def reference_o2_pct(self) -> float | None:
        """Reference oxygen, % vol; None for a pack that converts nothing."""
        return None if self.reference is None else self.reference.o2_pct

    def limit_of(self, pollutant: Pollutant, averaging: Averaging | None = None) -> Limit | None:
        """The limit of that pollutant (over that averaging, or the first), where the pack has one."""
        found = (limit for limit in self.limit if limit.pollutant is pollutant)
        return next((limit for limit in found if averaging in (None, limit.averaging)), None)

    def in_force(self, day: date) -> bool:
        """True when it holds on that day, local date."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def _is_positive(figure: float) -> bool:
    """True for a finite number above 0: what TOML writes as nan or inf would keep every limit."""
    return 0 < figure < math.inf
