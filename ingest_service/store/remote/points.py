"""Columns to wide lines of the line protocol: one line for all fields of a device at one time. Pure.

A half of the points can be written as well as the whole: the fields of one line meet again in the store.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.columns import Float64s, Int64s
from ingest_service.store.batch import MeanBatch, SampleBatch
from ingest_service.store.remote.names import SeriesName

MEASUREMENT, QUALITY = "sample", "quality"
MEAN_PARTS = ("mean", "low", "high", "covered")


class Points(msgspec.Struct, frozen=True):
    """Values of one measurement, sorted by device and time: parallel columns.

    `line` numbers the distinct (tags, time), `head` and `tail` are what stands before and after the fields of each.
    `row` says where in its batch each value comes from.
    """

    heads: Sequence[str]
    tails: Sequence[str]
    line: NDArray[np.int64]
    field: Sequence[str]
    value: Sequence[float]
    row: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.value)

    def part(self, start: int, stop: int) -> "Points":
        """Some of them."""
        chosen = slice(start, stop)
        return Points(
            self.heads, self.tails, self.line[chosen], self.field[chosen], self.value[chosen], self.row[chosen]
        )


def samples_points(batch: SampleBatch, names: Mapping[int, SeriesName]) -> tuple[Points, Points]:
    """The values there are, and the reasons of what is not good."""
    numbers = np.flatnonzero(np.isfinite(batch.value))
    flagged = np.flatnonzero(batch.reason)
    values = _points(MEASUREMENT, batch.series, batch.measured_at_ms, batch.value, numbers, names)
    reasons = batch.reason.astype(np.float64)
    return values, _points(QUALITY, batch.series, batch.measured_at_ms, reasons, flagged, names)


def means_points(means: MeanBatch, at_ms: Int64s, period: str, names: Mapping[int, SeriesName]) -> list[Points]:
    """Mean, lowest, highest and covered share, each a measurement of its own, at these times."""
    covered = means.covered.astype(np.float64)
    columns = {"mean": means.mean, "low": means.low, "high": means.high, "covered": covered}
    return [
        _points(f"{period}_{part}", means.series, at_ms, column, np.flatnonzero(np.isfinite(column)), names)
        for part, column in columns.items()
    ]


def encode(points: Points) -> bytes:
    """The lines, ms since 1970 UTC."""
    if not len(points):
        return b""
    fields = [f"{field}={value!r}" for field, value in zip(points.field, points.value, strict=True)]
    starts = np.flatnonzero(np.diff(points.line, prepend=-1)).tolist()
    lines = points.line[starts].tolist()
    texts = [
        f"{points.heads[line]} {','.join(fields[start:stop])} {points.tails[line]}"
        for line, (start, stop) in zip(lines, pairwise([*starts, len(fields)]), strict=True)
    ]
    return "\n".join(texts).encode()


def _points(
    measurement: str,
    series: NDArray[np.int32],
    at_ms: Int64s,
    values: Float64s,
    rows: NDArray[np.int64],
    names: Mapping[int, SeriesName],
) -> Points:
    """Sorted by tags and time, so that what belongs in one line stands together."""
    ids, place = np.unique(series[rows], return_inverse=True)
    known = [names[one] for one in ids.tolist()]
    tag_sets = {tags: at for at, tags in enumerate(dict.fromkeys(name.tags for name in known))}
    owner = np.array([tag_sets[name.tags] for name in known], np.int64)[place]
    order = np.lexsort((at_ms[rows], owner))
    rows, owner, place = rows[order], owner[order], place[order]
    times = at_ms[rows]
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = (owner[1:] != owner[:-1]) | (times[1:] != times[:-1])
    heads = [measurement + tags for tags in tag_sets]
    fields = [name.field for name in known]
    return Points(
        heads=[heads[at] for at in owner[begins].tolist()],
        tails=[str(at) for at in times[begins].tolist()],
        line=np.cumsum(begins) - 1,
        field=[fields[at] for at in place.tolist()],
        value=values[rows].tolist(),
        row=rows,
    )
