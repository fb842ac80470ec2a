"""The shapes of the JSON API. Times are ms since 1970 UTC (`_ms`), values are in the unit that stands beside them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ingest_service.alarms.vocabulary import Kind, Severity, State
from ingest_service.api.readings import Trust


class Out(BaseModel):
    """The root of what is sent; built from the service's own records."""

    model_config = ConfigDict(from_attributes=True)


class ErrorOut(BaseModel):
    """Every error: a code for programs, a sentence for people."""

    error: str
    detail: str


class HomeOut(Out):
    """A funeral home."""

    id: str
    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    city_zh: str
    city_en: str


class FurnaceOut(Out):
    """A furnace; `name` is unique within its home."""

    id: int
    home_id: str
    name: str
    name_zh: str
    name_en: str


class EdgeOut(Out):
    """An edge node. `clock_offset_ms` is positive where its clock is behind the centre's.

    `conflicts` is above 0 where two edges go by this name: the samples of the newer one are left with it.
    """

    home_id: str
    name: str
    software: str
    online: bool
    last_seen_ms: int
    clock_offset_ms: int | None
    best_effort: bool
    seq_gaps: int
    rebirths: int
    conflicts: int


class TagOut(Out):
    """One channel of a furnace and its newest value; `value` is null where there is none that can be used."""

    series: int
    device: str
    channel: str
    quantity: str
    name_zh: str
    name_en: str
    unit: str
    basis: str
    low: float | None
    high: float | None
    period_s: float | None
    value: float | None
    quality: str = Field(description="good, or the label of what is doubtful or bad")
    trust: Trust
    measured_at_ms: int | None
    age_ms: int | None


class HourSoFarOut(Out):
    """The running hour of one pollutant: its converted mean so far against the limit."""

    rule: str
    pollutant: str
    start_ms: int
    until_ms: int
    mean: float | None
    peak: float | None
    limit: float
    unit: str
    valid_minutes: int
    valid_minutes_needed: int
    cause: str
    forecast_mean: float | None
    exceeds_at_ms: int | None


class HomeDetailOut(HomeOut):
    """A home with what belongs to it."""

    furnaces: list[FurnaceOut]
    edges: list[EdgeOut]


class FurnaceDetailOut(FurnaceOut):
    """A furnace with its newest values and the running hour."""

    tags: list[TagOut]
    hour_so_far: list[HourSoFarOut]


class MeansOut(Out):
    """Means as parallel columns; null where nothing was valid. `covered` (0..1) is the share that a good value held."""

    series: int
    unit: str
    period_ms: int
    start_ms: list[int]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    covered: list[float]


class RawOut(Out):
    """Samples as parallel columns; `value` is null where `quality` is bad."""

    series: int
    unit: str
    measured_at_ms: list[int]
    value: list[float | None]
    quality: list[str]


class TrendLineOut(Out):
    """The minute means of one quantity on the grid of its trend; null where there is none."""

    quantity: str
    unit: str
    mean: list[float | None]


class JudgementOut(Out):
    """One averaging period of one pollutant against one limit. `mean` and `peak` are converted, in `unit`."""

    rule: str
    pollutant: str
    start_ms: int
    end_ms: int
    mean: float | None
    peak: float | None
    limit: float
    unit: str
    valid_minutes: int
    verdict: str
    cause: str
    revision: int
    revision_reason: str
    computed_at_ms: int
    averaging: str


class TrendsOut(Out):
    """Minute means of a furnace on one grid, and the hours that were judged in it."""

    start_ms: list[int]
    lines: list[TrendLineOut]
    hours: list[JudgementOut]


class AlarmOut(Out):
    """An alarm; `what` in both languages says what is wrong. `raised_at_ms` is event time."""

    id: int
    kind: Kind
    severity: Severity
    state: State
    home_id: str
    furnace: str
    series_id: int | None
    what_zh: str
    what_en: str
    raised_at_ms: int
    noticed_at_ms: int
    acknowledged_at_ms: int | None
    acknowledged_by: str
    cleared_at_ms: int | None


class StepOut(Out):
    """One step in an alarm's life."""

    step: str
    at_ms: int
    recorded_at_ms: int
    who: str
    note: str


class DeliveryOut(Out):
    """One notification to one receiver; accepted means that the next system took it."""

    id: int
    alarm_id: int
    step: str
    channel: str
    receiver: str
    locale: str
    what: str
    state: str
    attempts: int
    due_at_ms: int
    sent_at_ms: int | None
    last_error: str


class AlarmDetailOut(AlarmOut):
    """An alarm with its life and who was told."""

    steps: list[StepOut]
    deliveries: list[DeliveryOut]


class AcknowledgeIn(BaseModel):
    """What whoever signed in says of the alarm."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(max_length=400)] = ""


class AcknowledgedOut(Out):
    """What became of it: acknowledged, or already_acknowledged."""

    answer: str
    alarm: AlarmOut


class ExceedanceOut(Out):
    """One or more periods in a row beyond a limit; `mean` is the worst period mean, `peak` the worst minute."""

    id: int
    home_id: str
    furnace: str
    rule: str
    clause: str
    pollutant: str
    start_ms: int
    end_ms: int
    mean: float
    peak: float
    limit: float
    unit: str
    revision: int
    averaging: str
    bound: str


class RejectionOut(Out):
    """What was not admitted from one origin for one reason."""

    reason: str
    home: str
    edge: str
    device: str
    count: int
    first_at_ms: int
    last_at_ms: int
    example: str


class StoreOut(Out):
    """The store of the time series; null is what it does not say. Days to keep are 0 for ever.

    `outlook` is fits, full (in `days_left` days at the growth of the last week) or unknown.
    """

    kind: str
    hot_rows: int | None
    sealed_rows: int | None
    oldest_ms: int | None
    newest_ms: int | None
    disk_bytes: int | None
    free_bytes: int | None
    growth_bytes_per_day: float | None
    outlook: str
    days_left: float | None
    settled_bytes: int | None
    raw_days: int
    minute_days: int
    hour_days: int
    quarantined_samples: int
    problem: str


class LimitOut(Out):
    """One limit in force, with where it stands."""

    pollutant: str
    limit: float
    unit: str
    averaging: str
    clause_zh: str
    clause_en: str
    source: str
    averaging_source: str
    bound: str


class RuleOut(Out):
    """A rule pack that applies. Limits of an unverified pack are shown, never judged."""

    key: str
    title_zh: str
    title_en: str
    jurisdiction: str
    source: str
    verified: str
    reference_o2_pct: float | None
    valid_minutes: int
    judged: bool
    limits: list[LimitOut]


class CheckOut(Out):
    """One thing that must work; `problem` is empty while it does."""

    name: str
    problem: str


class ReadyOut(Out):
    """Whether the service does its work, and what is in the way where not."""

    ready: bool
    checks: list[CheckOut]
