"""How complete hours are: covered by a value, known to be bad, missing for a known reason, or unknown. Pure.

Edges report by exception, so what is promised is time that is covered and not a number of samples: a value holds until
the next one, at most for its hold. Every second of an hour is good, bad, in a gap, or unknown, and never two of them.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.gap import GapReason
from edge_agent.wire.sample import FIRST_BAD
from ingest_service.emissions.averaging import hold_ms
from ingest_service.store.batch import MeanBatch, SampleBatch
from ingest_service.store.gaps import KnownGap
from ingest_service.store.overview import KnownSeries
from ingest_service.store.tally import HourTally

Grid = NDArray[np.float64]  # (tag, hour), ms


class GapShare(msgspec.Struct, frozen=True):
    """So many seconds that are missing for one reason."""

    reason: GapReason
    seconds: float


class HourCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of one tag, or of several together; seconds add up to `expected_s`.

    `expected_samples` is how many there are at least while all is well, None where the tag reports changes alone.
    """

    start_ms: int
    expected_s: float
    good_s: float
    bad_s: float
    gaps: tuple[GapShare, ...]
    unknown_s: float
    expected_samples: int | None
    received: int
    late: int

    @property
    def covered_share(self) -> float:
        """The share, 0 to 1, for which a good value held; 1 where nothing is expected."""
        return self.good_s / self.expected_s if self.expected_s else 1.0


class Span(msgspec.Struct, frozen=True):
    """Whole hours `[from_ms, to_ms)`; of the last one is known what happened until `until_ms`."""

    from_ms: int
    to_ms: int
    until_ms: int

    @property
    def starts_ms(self) -> NDArray[np.int64]:
        """The beginning of every hour."""
        return np.arange(self.from_ms, self.to_ms, HOUR_MS, dtype=np.int64)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of tags in a span. `bad_ms` (tag, hour) is for how long bad samples held.

    `since_ms` is by tag: nothing is expected of whole hours before it, unless they have samples.
    """

    series: Sequence[KnownSeries]
    means: MeanBatch
    tally: HourTally
    bad_ms: Grid
    gaps: Sequence[KnownGap]
    since_ms: Sequence[int]


def coverage(span: Span, known: Evidence) -> list[list[HourCoverage]]:
    """The hours of every tag."""
    counts = {name: _laid_out(span, known.series, known.tally, name) for name in ("samples", "late")}
    good_ms = _laid_out(span, known.series, known.means, "covered") * HOUR_MS
    expected_ms = _expected(span, known, counts["samples"] + good_ms)
    good_ms = np.minimum(good_ms, expected_ms)
    bad_ms = np.minimum(known.bad_ms, expected_ms - good_ms)
    rows = []
    for at, series in enumerate(known.series):
        gaps = [gap for gap in known.gaps if concerns(gap, series)]
        missing_ms = expected_ms[at] - good_ms[at] - bad_ms[at]
        shares = _gap_shares(span, gaps, missing_ms)
        times = (expected_ms[at], good_ms[at], bad_ms[at], missing_ms)
        rows.append(_hours(span, series, times, shares, (counts["samples"][at], counts["late"][at])))
    return rows


def together(tags: Sequence[Sequence[HourCoverage]]) -> list[HourCoverage]:
    """The hours of several tags as one, with the sums of all."""
    return [_sum(hours) for hours in zip(*tags, strict=True)]


def whole(hours: Sequence[HourCoverage]) -> HourCoverage:
    """Several hours of one tag as one."""
    return _sum(hours)


def concerns(gap: KnownGap, series: KnownSeries) -> bool:
    """True where the gap is one of this tag."""
    of_device = gap.edge == series.edge and gap.device in ("", series.device)
    return of_device and (not gap.channels or series.channel in gap.channels)


def bad_times(span: Span, series: Sequence[KnownSeries], samples: SampleBatch) -> Grid:
    """For how long bad samples held, by tag and hour. `samples` hold all that follow a bad one within its hold."""
    ids = np.array([one.id for one in series], np.int32)
    holds = np.array([hold_ms(one.period_s) for one in series], np.int64)
    order = np.lexsort((samples.measured_at_ms, samples.series))
    own, begin_ms = samples.series[order], samples.measured_at_ms[order]
    at = np.searchsorted(ids, own)
    end_ms = begin_ms + holds[at]
    followed = own[1:] == own[:-1]
    end_ms[:-1] = np.where(followed, np.minimum(end_ms[:-1], begin_ms[1:]), end_ms[:-1])
    bad = samples.reason[order] >= FIRST_BAD
    return _by_hour(span, len(ids), at[bad], begin_ms[bad], end_ms[bad])


def _by_hour(
    span: Span, tags: int, at: NDArray[np.int64], begin_ms: NDArray[np.int64], end_ms: NDArray[np.int64]
) -> Grid:
    """Spans of time, none longer than an hour, cut at the hours and added up."""
    hours = len(span.starts_ms)
    total = np.zeros(tags * hours)
    first = (begin_ms - span.from_ms) // HOUR_MS
    border_ms = span.from_ms + (first + 1) * HOUR_MS
    pieces = ((first, np.minimum(end_ms, border_ms) - begin_ms), (first + 1, end_ms - border_ms))
    for hour, length_ms in pieces:
        inside = (hour >= 0) & (hour < hours) & (length_ms > 0)
        np.add.at(total, (at * hours + hour)[inside], length_ms[inside])
    return total.reshape(tags, hours)


def _expected(span: Span, known: Evidence, there: Grid) -> Grid:
    """How much of each hour is over by now, where the tag is expected to report at all."""
    starts_ms = span.starts_ms
    over_ms = np.clip(span.until_ms - starts_ms, 0, HOUR_MS).astype(np.float64)
    since_ms = np.array(known.since_ms, np.int64).reshape(-1, 1)
    known_by_then = (starts_ms + HOUR_MS > since_ms) | (there > 0)
    return np.asarray(np.where(known_by_then, over_ms, 0.0))


def _laid_out(span: Span, series: Sequence[KnownSeries], found: MeanBatch | HourTally, name: str) -> Grid:
    """One column as (tag, hour), 0 where there is nothing."""
    grid = np.zeros((len(series), len(span.starts_ms)))
    places = {one.id: at for at, one in enumerate(series)}
    at = np.array([places[one] for one in found.series.tolist()], np.int64)
    grid[at, (found.start_ms - span.from_ms) // HOUR_MS] = getattr(found, name)
    return grid


def _gap_shares(span: Span, gaps: Sequence[KnownGap], missing_ms: NDArray[np.float64]) -> dict[GapReason, Grid]:
    """How much of what is missing each reason accounts for: together never more than that."""
    shares: dict[GapReason, Grid] = {}
    starts_ms = span.starts_ms
    for gap in gaps:
        inside_ms = np.minimum(starts_ms + HOUR_MS, gap.to_ms + 1) - np.maximum(starts_ms, gap.from_ms)
        total = shares.setdefault(gap.reason, np.zeros(len(starts_ms)))
        total += np.clip(inside_ms, 0, None)
    claimed = sum(shares.values(), np.zeros(len(starts_ms)))
    scale = np.divide(missing_ms, claimed, out=np.zeros(len(starts_ms)), where=claimed > 0)
    return {reason: total * np.minimum(scale, 1.0) for reason, total in shares.items()}


def _hours(
    span: Span,
    series: KnownSeries,
    times: tuple[NDArray[np.float64], ...],
    shares: dict[GapReason, Grid],
    counts: tuple[NDArray[np.float64], ...],
) -> list[HourCoverage]:
    seconds = [np.round(column / 1000, 1).tolist() for column in times]
    by_reason = {reason: np.round(column / 1000, 1).tolist() for reason, column in shares.items()}
    received, late = (column.astype(np.int64).tolist() for column in counts)
    hours = []
    for at, start_ms in enumerate(span.starts_ms.tolist()):
        expected_s, good_s, bad_s, missing_s = (column[at] for column in seconds)
        found = tuple(GapShare(reason, column[at]) for reason, column in by_reason.items() if column[at])
        unknown_s = max(0.0, round(missing_s - sum(share.seconds for share in found), 1))
        hours.append(
            HourCoverage(
                start_ms=start_ms, expected_s=expected_s, good_s=good_s, bad_s=bad_s, gaps=found, unknown_s=unknown_s,
                expected_samples=int(expected_s / series.period_s) if series.period_s else None,
                received=received[at], late=late[at],
            )
        )  # fmt: skip
    return hours


def _sum(hours: Sequence[HourCoverage]) -> HourCoverage:
    by_reason: dict[GapReason, float] = {}
    for share in (share for hour in hours for share in hour.gaps):
        by_reason[share.reason] = by_reason.get(share.reason, 0.0) + share.seconds
    return HourCoverage(
        start_ms=hours[0].start_ms,
        expected_s=sum(hour.expected_s for hour in hours),
        good_s=sum(hour.good_s for hour in hours),
        bad_s=sum(hour.bad_s for hour in hours),
        gaps=tuple(GapShare(reason, round(seconds, 1)) for reason, seconds in by_reason.items()),
        unknown_s=sum(hour.unknown_s for hour in hours),
        expected_samples=sum(hour.expected_samples or 0 for hour in hours),
        received=sum(hour.received for hour in hours),
        late=sum(hour.late for hour in hours),
    )
