"""The shapes of the JSON API that several routes share. Times are ms since 1970 UTC (`_ms`)."""

from pydantic import BaseModel, ConfigDict


class Out(BaseModel):
    """The root of what is sent; built from the service's own records."""

    model_config = ConfigDict(from_attributes=True)


class ErrorOut(BaseModel):
    """Every error: a code for programs, a sentence for people."""

    error: str
    detail: str


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
