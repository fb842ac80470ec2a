"""Values in the place of missing hours, for emission totals alone: a series of its own, labelled, never judged."""

from enum import IntEnum, unique

import msgspec
import numpy as np

from ingest_service.columns import Bools, Float64s, Int64s


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """With at least `capture_pct` of the hours valid, gaps of up to `gap_hours` take the highest of `of_hours`.

    `gap_hours` None: a gap of any length. `of_hours` counts the valid hours before the gap.
    """

    capture_pct: float
    gap_hours: int | None = None
    of_hours: int


class Substitution(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule for missing hours. The first fitting band holds.

    `enabled` only once somebody has read it in the text: then the clause says where.
    """

    enabled: bool
    band: tuple[Band, ...]
    source: str
    note_zh: str
    note_en: str
    clause_zh: str = ""
    clause_en: str = ""

    def __post_init__(self) -> None:
        if self.enabled and not (self.clause_zh and self.clause_en):
            raise ValueError("enabled needs clause_zh and clause_en: where in the text the rule was read")


@unique
class Label(IntEnum):
    """What an hour of the substituted series is."""

    MEASURED = 0
    SUBSTITUTED = 1
    MISSING = 2  # no band holds, or too few valid hours came before


class Substituted(msgspec.Struct, frozen=True):
    """An hourly series with its labels (codes of `Label`): value in the unit of the measured one, NaN where missing.

    `of_hours`: a substituted value is the highest of so many valid hours before its gap; 0 for any other.
    """

    value: Float64s
    label: Int64s
    of_hours: Int64s


def substitute(measured: Float64s, rule: Substitution) -> Substituted:
    """Consecutive operating hours of a quarter (NaN: missing) with every gap filled as the rule says.

    A disabled rule fills nothing.
    """
    valid = np.isfinite(measured)
    value, label = measured.copy(), np.where(valid, Label.MEASURED, Label.MISSING).astype(np.int64)
    of_hours = np.zeros(len(measured), np.int64)
    capture_pct = 100.0 * float(valid.mean()) if len(measured) else 0.0
    for begin, end in _gaps(valid) if rule.enabled else ():
        band = _band(rule, capture_pct, end - begin)
        before = measured[:begin][valid[:begin]]
        if band is not None and len(before):
            value[begin:end] = before[-band.of_hours :].max()
            label[begin:end], of_hours[begin:end] = Label.SUBSTITUTED, min(band.of_hours, len(before))
    return Substituted(value, label, of_hours)


def _band(rule: Substitution, capture_pct: float, gap_hours: int) -> Band | None:
    fitting = (band for band in rule.band if capture_pct >= band.capture_pct)
    return next((band for band in fitting if band.gap_hours is None or gap_hours <= band.gap_hours), None)


def _gaps(valid: Bools) -> list[tuple[int, int]]:
    """Where hours are missing: `[begin, end)` of each gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], valid, [True]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
