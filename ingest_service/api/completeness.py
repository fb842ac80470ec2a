"""JSON: how complete the hours of a furnace are, and the gaps that are known."""

from collections.abc import Sequence

import msgspec
import numpy as np
from fastapi import APIRouter
from pydantic import Field

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from edge_agent.wire.gap import GapReason
from edge_agent.wire.metric import DataType
from ingest_service.api.access import Sight
from ingest_service.api.context import Context, Here
from ingest_service.api.coverage import Evidence, Grid, HourCoverage, Span, bad_times, coverage
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.api.series import From, To
from ingest_service.api.snapshot import found_furnace, found_home
from ingest_service.emissions.averaging import hold_ms
from ingest_service.store import overview
from ingest_service.store.batch import SampleBatch
from ingest_service.store.gaps import KnownGap, gaps_between
from ingest_service.store.overview import KnownSeries, Reader
from ingest_service.store.rows import FurnaceRow
from ingest_service.store.tally import HourTally

MAX_SPAN_MS = 7 * 24 * HOUR_MS
MAX_GAP_SPAN_MS = 366 * 24 * HOUR_MS
SETTLED_MS = 10_000  # a minute that ended so long ago has its mean
_TEXTS = (DataType.STRING, DataType.TEXT)

router = APIRouter(tags=["completeness"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})


class Completeness(msgspec.Struct, frozen=True):
    """The hours of a furnace's tags, tag by tag in the order of `series`, and the gaps that concern them."""

    span: Span
    series: Sequence[KnownSeries]
    tags: Sequence[Sequence[HourCoverage]]
    gaps: Sequence[KnownGap]


class GapShareOut(Out):
    """So many seconds that are missing for one reason."""

    reason: GapReason
    seconds: float


class HourCoverageOut(Out):
    """One hour of one tag. Good, bad, gap and unknown seconds add up to what is expected until now."""

    start_ms: int
    expected_s: float
    good_s: float
    bad_s: float = Field(description="known to have no value: broken wire, no answer, out of range")
    gaps: list[GapShareOut]
    unknown_s: float = Field(description="missing, and no gap record tells why (yet)")
    expected_samples: int | None = Field(description="at least so many; null for a tag that reports changes alone")
    received: int
    late: int = Field(description="arrived more than 60 s after they were measured")


class TagCompletenessOut(Out):
    """One tag and its hours."""

    series: int
    device: str
    channel: str
    name_zh: str
    name_en: str
    hours: list[HourCoverageOut]


class GapOut(Out):
    """A gap record: from when to when samples are missing and why; both ends are included."""

    home_id: str
    edge: str
    device: str = Field(description="empty where all of the edge is concerned")
    channels: list[str] = Field(description="empty where all of the device are concerned")
    from_ms: int = Field(description="0 where the beginning is not known")
    to_ms: int
    samples: int = Field(description="read and lost; 0 where none was read or nobody can count them")
    reason: GapReason
    received_at_ms: int


class CompletenessOut(Out):
    """Whole hours from `from_ms`; of the last one is told what is known until `until_ms`."""

    from_ms: int
    to_ms: int
    until_ms: int
    tags: list[TagCompletenessOut]
    gaps: list[GapOut]


@router.get("/homes/{home}/furnaces/{furnace}/completeness", summary="Per tag and hour: good, bad, missing and why")
def show_completeness(home: str, furnace: str, from_ms: From, to_ms: To, here: Here, sight: Sight) -> CompletenessOut:
    """The whole hours that touch [from, to), at most 7 days."""
    row = found_furnace(sight, home, furnace)
    found = read_completeness(here, sight, row, whole_hours(here, from_ms, to_ms))
    return CompletenessOut(
        from_ms=found.span.from_ms,
        to_ms=found.span.to_ms,
        until_ms=found.span.until_ms,
        tags=[_tag(series, hours) for series, hours in zip(found.series, found.tags, strict=True)],
        gaps=[GapOut.model_validate(gap) for gap in found.gaps],
    )


@router.get("/gaps", summary="What never reached the centre, from when to when and why")
def show_gaps(from_ms: From, to_ms: To, sight: Sight, home: str | None = None) -> list[GapOut]:
    """The gap records that touch [from, to), of one home or of all, oldest first."""
    if not 0 < to_ms - from_ms <= MAX_GAP_SPAN_MS:
        raise InvalidRequest("from must lie before to (both ms since 1970 UTC), by no more than 366 days")
    if home is not None:
        found_home(sight, home)
    return [GapOut.model_validate(gap) for gap in gaps_between(sight, from_ms, to_ms, home)]


def whole_hours(here: Context, from_ms: int, to_ms: int) -> Span:
    """The hours that touch `[from_ms, to_ms)`. Raises InvalidRequest where they are none or too many."""
    if not 0 < to_ms - from_ms <= MAX_SPAN_MS:
        raise InvalidRequest("from must lie before to (both ms since 1970 UTC), by no more than 7 days")
    until_ms = (here.clock() - SETTLED_MS) // MINUTE_MS * MINUTE_MS
    return Span(from_ms // HOUR_MS * HOUR_MS, -(-to_ms // HOUR_MS) * HOUR_MS, until_ms)


def read_completeness(here: Context, reader: Reader, furnace: FurnaceRow, span: Span) -> Completeness:
    """The hours of every tag of a furnace that has numbers. Raises StoreError."""
    series = [one for one in overview.series(reader, [furnace.id]) if one.datatype not in _TEXTS]
    ids = [one.id for one in series]
    tally = here.store.tally(ids, span.from_ms, span.to_ms)
    seen_ms = {edge.name: edge.first_seen_ms for edge in overview.edges(reader, furnace.home_id)}
    gaps = gaps_between(reader, span.from_ms, span.to_ms, furnace_id=furnace.id)
    known = Evidence(
        series=series,
        means=here.store.means(HOUR_MS, ids, span.from_ms, span.to_ms),
        tally=tally,
        bad_ms=_bad_ms(here, span, series, tally),
        gaps=gaps,
        since_ms=[seen_ms[one.edge] for one in series],
    )
    return Completeness(span, series, coverage(span, known), gaps)


def _bad_ms(here: Context, span: Span, series: Sequence[KnownSeries], tally: HourTally) -> Grid:
    """For how long bad samples held. Only hours that have any are read."""
    total = np.zeros((len(series), len(span.starts_ms)))
    bad = tally.bad > 0
    for hour_ms in np.unique(tally.start_ms[bad]).tolist():
        of_hour = set(tally.series[bad & (tally.start_ms == hour_ms)].tolist())
        concerned = [one for one in series if one.id in of_hour]
        longest_ms = max(hold_ms(one.period_s) for one in concerned)
        samples = here.store.raw(sorted(of_hour), hour_ms, hour_ms + HOUR_MS + longest_ms)
        rows = np.flatnonzero([one.id in of_hour for one in series])
        total[rows] += bad_times(span, concerned, _begun_before(samples, hour_ms + HOUR_MS))
    return total


def _begun_before(samples: SampleBatch, until_ms: int) -> SampleBatch:
    """The samples, but bad ones from `until_ms` on count as good: they belong to the next hour's reading."""
    reason = np.where(samples.measured_at_ms < until_ms, samples.reason, np.uint8(0))
    return msgspec.structs.replace(samples, reason=reason)


def _tag(series: KnownSeries, hours: Sequence[HourCoverage]) -> TagCompletenessOut:
    return TagCompletenessOut(
        series=series.id,
        device=series.device,
        channel=series.channel,
        name_zh=series.name_zh,
        name_en=series.name_en,
        hours=[HourCoverageOut.model_validate(hour) for hour in hours],
    )
