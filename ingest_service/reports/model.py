"""The view-model of a report: everything that its renderings show, in no language. Times are ms since 1970 UTC."""

from enum import StrEnum, unique

import msgspec

from ingest_service.reports.span import ReportSpan
from ingest_service.store.cycles import CycleRow
from ingest_service.store.gaps import KnownGap
from ingest_service.store.journal import AlarmRecord
from ingest_service.store.marks import MarkRow
from ingest_service.store.remarks import Remark
from ingest_service.store.rows import FurnaceRow, HomeRow
from ingest_service.store.trends import JudgedPeriod, OverLimit


@unique
class Stage(StrEnum):
    """Whether a report can still change because its time is not over or not judged to its end, or a mark waits."""

    PRELIMINARY = "preliminary"
    PROVISIONAL = "provisional"  # all is judged, but not yet again with a mark that was entered since
    FINAL = "final"


@unique
class Filling(StrEnum):
    """What a rule pack says of missing hours."""

    NO_RULE = "no_rule"
    DISABLED = "disabled"  # nobody has read its rule in the text
    IN_FORCE = "in_force"


class RuleLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rule pack that judged something here; of one that is in the book no more only the key is known."""

    key: str
    title_zh: str = ""
    title_en: str = ""
    source: str = ""
    verified: str = ""
    reference_o2_pct: float | None = None
    reference_verified: str = ""
    confirm_zh: str = ""
    confirm_en: str = ""
    valid_minutes: int | None = None
    validity_source: str = ""
    exclusion_zh: str = ""
    exclusion_en: str = ""
    rounding: str = ""
    filling: Filling = Filling.NO_RULE
    filling_source: str = ""
    filling_zh: str = ""
    filling_en: str = ""


class Subject(msgspec.Struct, frozen=True, order=True):
    """What was judged: one pollutant over one averaging against one limit of one rule pack."""

    rule: str
    pollutant: str
    averaging: str
    limit: float
    unit: str


class LimitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One subject over the whole span. Means are of valid periods, in the subject's unit; None where there is none.

    `lost` periods are those that should have been valid and are not; `idle` ones were not operated, or too briefly.
    """

    subject: Subject
    bound: str
    step: float
    clause_zh: str
    clause_en: str
    mean: float | None
    highest: float | None
    highest_at_ms: int | None
    lowest: float | None
    worst_minute: float | None
    valid: int
    exceeded: int
    lost: int
    idle: int
    capture_pct: float | None
    exceedances: int
    exceeded_minutes: int


class Part(msgspec.Struct, frozen=True):
    """A day or month of a longer span, of one subject: means of valid hours, and how many hours there were of which."""

    subject: Subject
    start_ms: int
    end_ms: int
    mean: float | None
    highest: float | None
    valid: int
    exceeded: int
    lost: int


class Loss(msgspec.Struct, frozen=True, order=True):
    """How many periods of a subject were lost to one cause."""

    subject: Subject
    verdict: str
    cause: str
    periods: int


class FilledGap(msgspec.Struct, frozen=True):
    """Operating hours on end without a valid mean, and the value in their place: the highest of `of_hours` before."""

    start_ms: int
    end_ms: int
    hours: int
    value: float
    of_hours: int


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A subject's hours of a month with what a rule puts in the place of missing ones; nothing of it is judged.

    `due` operating hours, of which `filled` were substituted and `missing` stay without a value. `capture_pct` is that
    of the quarter up to the month's end. Means in the subject's unit: of valid hours, and with the substituted ones.
    `mass_kg` is what the substituted hours stand for in `mass_minutes` of cremations; None where nothing tells a flow.
    """

    subject: Subject
    clause_zh: str
    clause_en: str
    due: int
    filled: int
    missing: int
    capture_pct: float | None
    mean: float | None
    mean_with_filled: float | None
    gaps: tuple[FilledGap, ...]
    mass_kg: float | None = None
    mass_minutes: int = 0


class Said(msgspec.Struct, frozen=True):
    """An exceedance, and what a person said of it last."""

    found: OverLimit
    remark: Remark | None


class Mass(msgspec.Struct, frozen=True):
    """What the cremations of a furnace emitted of one pollutant, kg, and how many of them have a figure."""

    pollutant: str
    kg: float
    cremations: int


class Dosing(msgspec.Struct, frozen=True):
    """Of `burning` minutes (charge to cooling), in how many a reagent's dosing is `known`, in how many it was on."""

    reagent: str
    burning: int
    known: int
    on: int

    @property
    def on_pct(self) -> float | None:
        """The share of the known minutes in which it was on, %; None where none is known."""
        return 100.0 * self.on / self.known if self.known else None


class DosedCremation(msgspec.Struct, frozen=True):
    """What was dosed during one cremation, a reagent that has a channel each."""

    case_number: str
    dosing: tuple[Dosing, ...]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """How a furnace was operated; None is what no channel tells. `masses` are of the cremations' covered time."""

    operating_minutes: int | None
    gas_m3: float | None
    electricity_kwh: float | None
    masses: tuple[Mass, ...]


class FurnacePart(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report says of one furnace. `hours` are judged periods of every averaging, newest revisions.

    `unjudged_marks` are numbers of `marks` that touch hours which have yet to be judged with a mark.
    """

    furnace: FurnaceRow
    until_ms: int | None
    limits: tuple[LimitLine, ...]
    parts: tuple[Part, ...]
    hours: tuple[JudgedPeriod, ...]
    losses: tuple[Loss, ...]
    filled: tuple[Filled, ...] = ()
    exceedances: tuple[Said, ...]
    cremations: tuple[CycleRow, ...]
    dosed: tuple[DosedCremation, ...] = ()
    operation: Operation
    marks: tuple[MarkRow, ...]
    unjudged_marks: tuple[int, ...] = ()
    gaps: tuple[KnownGap, ...]
    alarms: tuple[AlarmRecord, ...]
    revisions: tuple[JudgedPeriod, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report on furnaces of one home. `zone` is the IANA name of the zone in which its days begin."""

    span: ReportSpan
    home: HomeRow
    zone: str
    software: str
    stage: Stage
    rules: tuple[RuleLine, ...]
    furnaces: tuple[FurnacePart, ...]
