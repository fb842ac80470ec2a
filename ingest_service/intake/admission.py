"""Admits samples or rejects them with a reason that is counted. Pure; works on whole columns."""

from collections.abc import Sequence
from enum import IntEnum, unique

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.sample import FIRST_BAD
from ingest_service.intake.alias_table import FOREIGN, UNKNOWN
from ingest_service.intake.gathering import Candidates, Origin

FAR_FUTURE_MS = 10 * 60_000
EARLIEST_MS = 1_577_836_800_000  # 2020-01-01: no equipment of ours is older, so the clock was not set
LONGEST_AGO_MS = 3653 * 86_400_000  # ten years


@unique
class Rejection(IntEnum):
    """Why a sample, or a whole message, was not admitted."""

    NONE = 0
    FAR_FUTURE = 1
    TOO_OLD = 2
    NOT_A_NUMBER = 3
    INFINITE = 4
    UNKNOWN_TAG = 5
    TEXT_VALUE = 6
    GARBAGE_PAYLOAD = 7
    BAD_TOPIC = 8
    UNKNOWN_EDGE = 9
    UNKNOWN_DEVICE = 10
    BAD_NAME = 11
    OTHER_EDGE = 12

    @property
    def label(self) -> str:
        """The name under which it is counted and shown, e.g. `far_future`."""
        return self.name.lower()

    @property
    def asks_for_birth(self) -> bool:
        """True when a birth that was missed would explain it."""
        return self in (
            Rejection.UNKNOWN_TAG, Rejection.UNKNOWN_EDGE, Rejection.UNKNOWN_DEVICE, Rejection.OTHER_EDGE
        )  # fmt: skip


class RejectedSamples(msgspec.Struct, frozen=True):
    """So many samples of one message were rejected for one reason; the first one's time (ms) and value."""

    origin: int
    rejection: Rejection
    count: int
    measured_at_ms: int
    value: float


class Admission(msgspec.Struct, frozen=True):
    """The admitted rows, where each origin's rows `[start, stop)` lie among them, and what was rejected."""

    samples: Candidates
    bounds: NDArray[np.int64]
    rejected: Sequence[RejectedSamples]

    def span_ms(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last time of measurement of each origin's admitted rows; 0 where it has none."""
        first = np.zeros(len(self.bounds) - 1, np.int64)
        last = np.zeros(len(self.bounds) - 1, np.int64)
        filled = np.flatnonzero(np.diff(self.bounds))
        if len(filled):
            starts = self.bounds[filled]
            first[filled] = np.minimum.reduceat(self.samples.measured_at_ms, starts)
            last[filled] = np.maximum.reduceat(self.samples.measured_at_ms, starts)
        return first, last


def admit(candidates: Candidates, origins: Sequence[Origin], now_ms: int) -> Admission:
    """Judge every sample at `now_ms` (ms since 1970 UTC). A bad sample never carries a number."""
    verdict = judge(candidates, now_ms)
    kept = verdict == Rejection.NONE
    starts = [origin.start for origin in origins]
    counted = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    bounds = counted[np.array([*starts, len(candidates)], np.int64)]
    if kept.all():
        return Admission(_cleaned(candidates), bounds, ())
    samples = Candidates(
        candidates.series[kept], candidates.measured_at_ms[kept], candidates.value[kept], candidates.reason[kept]
    )
    return Admission(_cleaned(samples), bounds, _rejected(candidates, verdict, starts))


def judge(candidates: Candidates, now_ms: int) -> NDArray[np.uint8]:
    """The `Rejection` of each sample, NONE where it is admitted; the gravest one where several apply."""
    good = candidates.reason < FIRST_BAD
    verdict = np.zeros(len(candidates), np.uint8)
    verdict[good & np.isinf(candidates.value)] = Rejection.INFINITE
    verdict[good & np.isnan(candidates.value)] = Rejection.NOT_A_NUMBER
    oldest_ms = max(EARLIEST_MS, now_ms - LONGEST_AGO_MS)
    verdict[candidates.measured_at_ms < oldest_ms] = Rejection.TOO_OLD
    verdict[candidates.measured_at_ms > now_ms + FAR_FUTURE_MS] = Rejection.FAR_FUTURE
    verdict[candidates.series == UNKNOWN] = Rejection.UNKNOWN_TAG
    verdict[candidates.series == FOREIGN] = Rejection.OTHER_EDGE
    return verdict


def _cleaned(samples: Candidates) -> Candidates:
    bad = samples.reason >= FIRST_BAD
    if not np.any(bad & ~np.isnan(samples.value)):
        return samples
    value = np.where(bad, np.nan, samples.value)
    return Candidates(samples.series, samples.measured_at_ms, value, samples.reason)


def _rejected(candidates: Candidates, verdict: NDArray[np.uint8], starts: list[int]) -> list[RejectedSamples]:
    """One entry a message and reason; rejections are few, so this is not the path of most samples."""
    rows = np.flatnonzero(verdict)
    origins = np.searchsorted(np.array(starts), rows, side="right") - 1
    found: dict[tuple[int, int], list[int]] = {}
    for row, origin, code in zip(rows.tolist(), origins.tolist(), verdict[rows].tolist(), strict=True):
        found.setdefault((origin, code), []).append(row)
    return [
        RejectedSamples(
            origin,
            Rejection(code),
            len(at),
            int(candidates.measured_at_ms[at[0]]),
            float(candidates.value[at[0]]),
        )
        for (origin, code), at in found.items()
    ]
