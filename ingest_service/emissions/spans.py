"""Stretches of a column of minutes, and what they add up to. A result depends on the stretch's own minutes alone."""

import msgspec
import numpy as np

from ingest_service.columns import Float64s, Int64s


class Spans(msgspec.Struct, frozen=True):
    """Stretches `[begin, end)` of a flat column of minutes. They may overlap; none is empty."""

    begin: Int64s
    end: Int64s

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def minutes(self) -> Int64s:
        """How many minutes each stretch has."""
        return self.end - self.begin


def equal_spans(count: int, width: int) -> Spans:
    """`count` stretches of `width` minutes, one after the other."""
    begin = np.arange(count, dtype=np.int64) * width
    return Spans(begin, begin + width)


def sums(column: Float64s, spans: Spans) -> Float64s:
    """The sum of each stretch."""
    return _reduced(np.add, column, spans, 0.0)


def counts(marked: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], spans: Spans) -> Int64s:
    """How many minutes of each stretch are marked."""
    total = np.concatenate([[0], np.cumsum(marked, dtype=np.int64)])
    return np.asarray(total[spans.end] - total[spans.begin])


def highest(column: Float64s, spans: Spans) -> Float64s:
    """The highest value of each stretch, NaN left out; NaN where there is none."""
    return _reduced(np.fmax, column, spans, np.nan)


def lowest(column: Float64s, spans: Spans) -> Float64s:
    """The lowest value of each stretch, NaN left out; NaN where there is none."""
    return _reduced(np.fmin, column, spans, np.nan)


def _reduced(how: np.ufunc, column: Float64s, spans: Spans, neutral: float) -> Float64s:
    """`how` over each stretch. The neutral element at the end lets a stretch reach to the end of the column."""
    if not len(spans):
        return np.empty(0)
    bounds = np.stack([spans.begin, spans.end], axis=1).ravel()
    return np.asarray(how.reduceat(np.append(column, neutral), bounds)[::2], np.float64)
