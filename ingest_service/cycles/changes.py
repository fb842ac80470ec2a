"""When a signal begins or ends to change fast, and where its course bends. Arithmetic on one column of steps each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ingest_service.columns import Bools, Float64s

_KNOWN_SHARE = 0.8  # of a window's steps, for a bend to be looked for in it
_END_STEPS = 4  # so near an end of its window a bend is none


class Change(NamedTuple):
    """The steps between which a change goes on at half its greatest rate or faster, the end excluded."""

    begin: int
    end: int


def fast_change(column: Float64s, first: int, last: int, sign: int, half_steps: int) -> Change | None:
    """The fastest rise (`sign` 1) or fall (-1) in the steps `[first, last)`; None where nothing moves that way.

    Rates are taken over `half_steps` to either side.
    """
    first, last = max(first, half_steps), min(last, len(column) - half_steps)
    if last - first < 2:
        return None
    change = sign * (column[first + half_steps : last + half_steps] - column[first - half_steps : last - half_steps])
    if not np.isfinite(change).any() or np.nanmax(change) <= 0:
        return None
    peak = int(np.nanargmax(change))
    slow = ~(change >= change[peak] / 2)
    before, after = np.flatnonzero(slow[:peak]), np.flatnonzero(slow[peak:])
    begin = int(before[-1]) + 1 if len(before) else 0
    return Change(first + begin, first + (peak + int(after[0]) if len(after) else len(change)))


def bend(columns: Sequence[Float64s], finest: Sequence[float]) -> int | None:
    """The step at which one bend in common fits columns of equal length best: two lines each that meet there.

    A column counts by how well it fits; `finest` is the resolution below which no fit is better than another.
    """
    length = len(columns[0])
    steps = np.arange(_END_STEPS, length - _END_STEPS)
    if not len(steps):
        return None
    misfit, counted = np.zeros(len(steps)), False
    for column, resolution in zip(columns, finest, strict=True):
        known = np.isfinite(column)
        if known.sum() >= _KNOWN_SHARE * length:
            squares = _squares(column, known, steps)
            misfit += known.sum() * np.log(squares + known.sum() * resolution**2)
            counted = True
    return int(steps[np.argmin(misfit)]) if counted else None


def _squares(column: Float64s, known: Bools, steps: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Float64s:
    """Sum of squared distances from the best two lines, for a bend at each step: all fits at once."""
    x, y = np.flatnonzero(known).astype(np.float64), column[known]
    hinge = np.maximum(0.0, x[None, :] - steps[:, None])
    design = np.stack([np.ones_like(hinge), np.broadcast_to(x, hinge.shape), hinge], axis=-1)
    normal = np.einsum("kni,knj->kij", design, design)
    weights = np.linalg.solve(normal, np.einsum("kni,n->ki", design, y)[..., None])
    return np.asarray(((y - (design @ weights)[..., 0]) ** 2).sum(axis=1))


def block_means(column: Float64s, size: int) -> Float64s:
    """Means of so many steps each, of what is known in them; what is left at the end is left out."""
    blocks = column[: len(column) // size * size].reshape(-1, size)
    known = np.isfinite(blocks)
    count = known.sum(axis=1)
    total = np.where(known, blocks, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(blocks), np.nan), where=count > 0))


def first_true(column: Bools, first: int, last: int) -> int | None:
    """The first step in `[first, last)` that is true."""
    found = np.flatnonzero(column[max(first, 0) : last])
    return max(first, 0) + int(found[0]) if len(found) else None


def last_true(column: Bools, first: int, last: int) -> int | None:
    """The last step in `[first, last)` that is true."""
    found = np.flatnonzero(column[max(first, 0) : last])
    return max(first, 0) + int(found[-1]) if len(found) else None


def all_before(column: Bools, width: int) -> Bools:
    """The steps at which the last `width` ones, this one included, are true."""
    count = np.cumsum(column)
    count[width:] = count[width:] - count[:-width]
    return np.asarray(count >= width)
