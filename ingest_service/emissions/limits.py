"""Judges hours: minute means in, converted minutes, hour mean and verdict out. Vectorised over (furnace, hour) rows."""

from enum import IntEnum, unique

import msgspec
import numpy as np

from ingest_service.emissions import normalise
from ingest_service.emissions.columns import Bools, Float64s, Int64s
from ingest_service.emissions.rulepack import Limit, RulePack


class _Labelled(IntEnum):
    @property
    def label(self) -> str:
        """The name that is stored and that readers see, e.g. `not_judged`."""
        return self.name.lower()


@unique
class Verdict(_Labelled):
    """What became of an hour."""

    WITHIN = 0
    EXCEEDED = 1
    INVALID = 2  # too few valid minutes
    NOT_JUDGED = 3  # nothing to judge, or no way to


@unique
class Cause(_Labelled):
    """Why an hour is not within or over its limit."""

    NONE = 0
    # not judged
    NO_CHANNEL = 1
    NO_BASIS = 2
    NO_O2 = 3
    NO_MOISTURE = 4
    NO_STACK_STATE = 5
    NO_BAROMETRIC_PRESSURE = 6
    NOT_OPERATING = 7
    # invalid: what took most minutes away
    FEW_OPERATING_MINUTES = 8
    MISSING_VALUES = 9
    MISSING_O2 = 10
    MISSING_MOISTURE = 11
    MISSING_STACK_STATE = 12
    O2_TOO_HIGH = 13


@unique
class Basis(IntEnum):
    """To which gas a concentration refers, as the wire contract names it."""

    UNKNOWN = 0
    DRY_STANDARD = 1
    WET_STANDARD = 2
    WET_ACTUAL = 3


class Signal(msgspec.Struct, frozen=True):
    """Minutes of one quantity: `minutes` (rows, 60), NaN where not valid; `present` (rows) where the furnace has it."""

    minutes: Float64s
    present: Bools


class HourRows(msgspec.Struct, frozen=True):
    """One pollutant's hours, a row per (furnace, hour). Concentration in the unit of its series, O2 in % vol.

    `basis` (rows) holds `Basis` codes; `o2_is_wet` (rows) says where O2 is that of wet gas. `excluded` (rows, 60) marks
    minutes that the rule leaves out.
    """

    concentration: Signal
    basis: Int64s
    o2: Signal
    o2_is_wet: Bools
    moisture: Signal
    stack_temperature: Signal
    stack_pressure: Signal
    excluded: Bools


class Verdicts(msgspec.Struct, frozen=True):
    """What was found, a row per (furnace, hour): codes of `Verdict` and `Cause`.

    `mean` and `peak` (highest minute, at minute `peak_minute` of the hour) are of the valid minutes, converted, in
    the limit's unit; NaN where no minute was valid. Whether the mean counts is what the verdict says.
    """

    mean: Float64s
    peak: Float64s
    peak_minute: Int64s
    valid_minutes: Int64s
    verdict: Int64s
    cause: Int64s


def judge_hours(rows: HourRows, limit: Limit, pack: RulePack, barometric_pa: float | None) -> Verdicts:
    """Every row against the limit; `barometric_pa` (Pa) is needed where a basis is wet gas at stack conditions."""
    converted, o2_pct = convert(rows, pack, barometric_pa)
    lost = _lost_minutes(rows, o2_pct, pack.reference.o2_max_pct)
    valid = ~lost.any(axis=0) & np.isfinite(converted)
    count = valid.sum(axis=1)
    total = np.where(valid, converted, 0.0).sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    ranked = np.where(valid, converted, -np.inf)
    peak_minute = ranked.argmax(axis=1)
    peak = np.where(count > 0, ranked.max(axis=1), np.nan)
    verdict, cause = _verdicts(rows, lost, count, mean, limit, pack, barometric_pa)
    return Verdicts(mean, peak, peak_minute, count, verdict, cause)


def convert(rows: HourRows, pack: RulePack, barometric_pa: float | None) -> tuple[Float64s, Float64s]:
    """Converted minutes (dry, standard state, reference oxygen; NaN where impossible), and O2 in % vol of dry gas."""
    c, moisture = rows.concentration.minutes, rows.moisture.minutes
    actual = (rows.basis == Basis.WET_ACTUAL)[:, None]
    known_pa = np.nan if barometric_pa is None else barometric_pa
    hot = normalise.standard_state(c, rows.stack_temperature.minutes, rows.stack_pressure.minutes, known_pa)
    c = np.where(actual, hot, c)
    c = np.where(_is_wet(rows)[:, None], normalise.wet_to_dry(c, moisture), c)
    o2_pct = np.where(rows.o2_is_wet[:, None], normalise.wet_to_dry(rows.o2.minutes, moisture), rows.o2.minutes)
    reference = pack.reference
    converted = normalise.to_reference_oxygen(c, o2_pct, reference.o2_pct, reference.o2_base_pct, reference.o2_max_pct)
    return converted, np.asarray(o2_pct)


def _is_wet(rows: HourRows) -> Bools:
    return np.asarray((rows.basis == Basis.WET_STANDARD) | (rows.basis == Basis.WET_ACTUAL))


# The causes of an invalid hour in the order of `_lost_minutes`.
_LOSSES = (
    Cause.FEW_OPERATING_MINUTES,
    Cause.MISSING_VALUES,
    Cause.MISSING_O2,
    Cause.MISSING_MOISTURE,
    Cause.MISSING_STACK_STATE,
    Cause.O2_TOO_HIGH,
)


def _lost_minutes(rows: HourRows, o2_pct: Float64s, o2_max_pct: float) -> Bools:
    """Which minutes are lost, and to what: (cause, rows, 60), each minute to the first cause that holds."""
    needs_moisture = (_is_wet(rows) | rows.o2_is_wet)[:, None]
    needs_state = (rows.basis == Basis.WET_ACTUAL)[:, None]
    state = rows.stack_temperature.minutes + rows.stack_pressure.minutes
    lost = np.stack(
        [
            rows.excluded,
            np.isnan(rows.concentration.minutes),
            np.isnan(rows.o2.minutes),
            needs_moisture & np.isnan(rows.moisture.minutes),
            needs_state & np.isnan(state),
            normalise.too_much_air(o2_pct, o2_max_pct),
        ]
    )
    return np.asarray(lost & (lost.cumsum(axis=0) == 1))


def _verdicts(
    rows: HourRows,
    lost: Bools,
    count: Int64s,
    mean: Float64s,
    limit: Limit,
    pack: RulePack,
    barometric_pa: float | None,
) -> tuple[Int64s, Int64s]:
    impossible = _impossible(rows, barometric_pa)
    valid = count >= pack.validity.valid_minutes
    worst = np.array(_LOSSES)[lost.sum(axis=2).argmax(axis=0)]
    cause = np.where(impossible != Cause.NONE, impossible, np.where(valid, Cause.NONE, worst))
    judged = np.where(mean > limit.limit, Verdict.EXCEEDED, Verdict.WITHIN)
    verdict = np.where(impossible != Cause.NONE, Verdict.NOT_JUDGED, np.where(valid, judged, Verdict.INVALID))
    return verdict.astype(np.int64), cause.astype(np.int64)


def _impossible(rows: HourRows, barometric_pa: float | None) -> Int64s:
    """Why a row cannot be judged at all, whatever its minutes say; Cause.NONE where it can."""
    actual = rows.basis == Basis.WET_ACTUAL
    conditions = [
        (~rows.concentration.present, Cause.NO_CHANNEL),
        (rows.basis == Basis.UNKNOWN, Cause.NO_BASIS),
        (~rows.o2.present, Cause.NO_O2),
        ((_is_wet(rows) | rows.o2_is_wet) & ~rows.moisture.present, Cause.NO_MOISTURE),
        (actual & ~(rows.stack_temperature.present & rows.stack_pressure.present), Cause.NO_STACK_STATE),
        (actual & (barometric_pa is None), Cause.NO_BAROMETRIC_PRESSURE),
        (rows.excluded.all(axis=1), Cause.NOT_OPERATING),
    ]
    choices = [np.full(len(rows.basis), int(cause)) for _, cause in conditions]
    return np.select([np.asarray(condition) for condition, _ in conditions], choices, int(Cause.NONE))
