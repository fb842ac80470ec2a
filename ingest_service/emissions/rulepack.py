"""Rule packs: limits, reference conditions, averaging and validity as data, each with its clause and source."""

import tomllib
from datetime import date
from enum import StrEnum, unique
from importlib.resources import files
from typing import Any

import msgspec

from ingest_service.errors import ConfigError


@unique
class Pollutant(StrEnum):
    """What is measured continuously and judged; each is a quantity of the wire contract."""

    DUST = "dust"
    SO2 = "so2"
    NOX = "nox"
    CO = "co"
    HCL = "hcl"


@unique
class PeriodicPollutant(StrEnum):
    """What a laboratory measures now and then: listed, never judged from a signal."""

    MERCURY = "mercury"
    DIOXINS = "dioxins"
    BLACKNESS = "blackness"


@unique
class LimitUnit(StrEnum):
    """The units of continuous limits: mg per m3 of dry gas at standard state and reference oxygen."""

    MG_PER_M3 = "mg/m3"


@unique
class PeriodicUnit(StrEnum):
    """The units of laboratory limits."""

    MG_PER_M3 = "mg/m3"
    NG_TEQ_PER_M3 = "ng-TEQ/m3"
    RINGELMANN = "Ringelmann"


@unique
class Averaging(StrEnum):
    """Over which period a mean is formed."""

    CLOCK_HOUR = "clock_hour"


@unique
class Phase(StrEnum):
    """The phases of a cremation, named as the wire contract names them."""

    IDLE = "idle"
    PREHEAT = "preheat"
    CHARGE = "charge"
    IGNITION = "ignition"
    MAIN = "main"
    BURNOUT = "burnout"
    COOLING = "cooling"


@unique
class Verified(StrEnum):
    """How far a figure has been checked. Limits of an unverified pack are shown, never judged."""

    ORIGINAL_TEXT = "original_text"
    SECONDARY_SOURCE = "secondary_source"
    UNVERIFIED = "unverified"


@unique
class Origin(StrEnum):
    """Who says so."""

    LAW = "law"
    SITE_CHOICE = "site_choice"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every table of a pack has in common: no key is guessed at."""


class Limit(Part, frozen=True, kw_only=True):
    """One continuous limit: `limit` in `unit` over `averaging`."""

    pollutant: Pollutant
    limit: float
    unit: LimitUnit
    averaging: Averaging
    clause_zh: str
    clause_en: str
    source: str
    averaging_source: str


class PeriodicLimit(Part, frozen=True, kw_only=True):
    """One limit that is met by laboratory tests."""

    pollutant: PeriodicPollutant
    limit: float
    unit: PeriodicUnit
    clause_zh: str
    clause_en: str
    source: str


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
    """When a mean counts: valid minutes of an hour, and the covered share that makes a minute valid."""

    valid_minutes: int
    source: str
    minute_covered_share: float
    minute_note: str

    def __post_init__(self) -> None:
        if not (1 <= self.valid_minutes <= 60 and 0 < self.minute_covered_share <= 1):
            raise ValueError("1 <= valid_minutes <= 60 and 0 < minute_covered_share <= 1 must hold")


class Exclusion(Part, frozen=True, kw_only=True):
    """Phases whose minutes are left out of the mean, and on whose word."""

    phases: tuple[Phase, ...]
    origin: Origin
    note_zh: str
    note_en: str


class RulePack(Part, frozen=True, kw_only=True):
    """One legal text in one version."""

    id: str
    version: str
    jurisdiction: str
    title_zh: str
    title_en: str
    unit_type: str
    valid_from: date
    valid_to: date | None = None
    source: str
    verified: Verified
    note_zh: str = ""
    note_en: str = ""
    reference: Reference
    validity: Validity
    exclusion: Exclusion
    limit: tuple[Limit, ...]
    periodic: tuple[PeriodicLimit, ...] = ()

    def __post_init__(self) -> None:
        if len({limit.pollutant for limit in self.limit}) != len(self.limit):
            raise ValueError("two limits for one pollutant")

    @property
    def key(self) -> str:
        """What a judgement names: `<id>@<version>`."""
        return f"{self.id}@{self.version}"

    @property
    def judged(self) -> tuple[Limit, ...]:
        """The limits that are applied: none of a pack that nobody has checked."""
        return () if self.verified is Verified.UNVERIFIED else self.limit

    def limit_of(self, pollutant: Pollutant) -> Limit | None:
        """The limit of that pollutant, where the pack has one."""
        return next((limit for limit in self.limit if limit.pollutant is pollutant), None)


def pack_names() -> tuple[str, ...]:
    """The packs that come with the product."""
    folder = files("ingest_service.emissions.rules")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_pack(name: str) -> RulePack:
    """A pack that comes with the product, by its file name. Raises ConfigError."""
    if name not in pack_names():
        raise ConfigError("configuration", "judging.packs", f"no rule pack {name!r}", ", ".join(pack_names()))
    text = files("ingest_service.emissions.rules").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse_pack(text, f"{name}.toml")


def parse_pack(text: str, file: str) -> RulePack:
    """The pack in `text`; `file` names it in errors. Raises ConfigError with file, key and what is allowed."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is no valid TOML: {error}") from error
    try:
        return msgspec.convert(raw, RulePack)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        key = where.strip("`.") or "top level"
        raise ConfigError(file, _shown(key, problem), problem, _allowed(key, problem)) from error


# What a key may hold, for the error's sake: the annotation's enumeration, or the keys of its table.
_TABLES: dict[str, type[msgspec.Struct]] = {
    "limit": Limit,
    "periodic": PeriodicLimit,
    "reference": Reference,
    "validity": Validity,
    "exclusion": Exclusion,
}


def _shown(key: str, problem: str) -> str:
    """The key with the unknown field's own name, where that is the problem."""
    if "unknown field" not in problem:
        return key
    field = problem.split("`")[1]
    return field if key == "top level" else f"{key}.{field}"


def _allowed(key: str, problem: str) -> str:
    """The allowed keys or values at `key`, as far as they can be listed."""
    table = _TABLES.get(key.partition("[")[0].partition(".")[0], RulePack)
    if "unknown field" in problem:
        return ", ".join(table.__struct_fields__)
    if "Invalid enum value" in problem:
        return ", ".join(str(member) for member in _enumeration(table, key))
    return ""


def _enumeration(table: type[msgspec.Struct], key: str) -> list[Any]:
    """The members of the enumeration that the field at `key` holds (also of a tuple of them)."""
    field = key.rpartition(".")[2].partition("[")[0]
    kind = next(entry.type for entry in msgspec.structs.fields(table) if entry.name == field)
    inner = getattr(kind, "__args__", (kind,))[0]
    return list(inner)
