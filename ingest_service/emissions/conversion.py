"""From minutes as they were measured to minutes as they are judged, and why a minute is lost on the way."""

import msgspec
import numpy as np

from ingest_service.columns import Bools, Bytes, Float64s, Int64s
from ingest_service.emissions import normalise
from ingest_service.emissions.limits import Basis, Cause, HourRows
from ingest_service.emissions.pack import Limit, Reference, RulePack


class Converted(msgspec.Struct, frozen=True):
    """Minutes (rows, 60) as they are judged, in the computing unit, NaN where lost; `cause`: `Cause` codes, 0 = valid.

    `o2_pct` is that of dry gas. `impossible` (rows) says why a row cannot be judged at all, whatever its minutes say.
    """

    minutes: Float64s
    cause: Bytes
    o2_pct: Float64s
    impossible: Int64s


def convert(rows: HourRows, limit: Limit, pack: RulePack, barometric_pa: float | None) -> Converted:
    """Concentrations to dry gas, standard state and reference oxygen; anything else as it was measured."""
    if limit.pollutant.is_concentration and pack.reference is not None:
        minutes, o2_pct = at_reference(rows, pack.reference, barometric_pa)
        conditions = [*_left_out(rows), *_gas_losses(rows, o2_pct, pack.reference.o2_max_pct)]
        impossible = _impossible(rows, barometric_pa)
    else:
        minutes, o2_pct = rows.concentration.minutes, np.full_like(rows.concentration.minutes, np.nan)
        conditions, impossible = _left_out(rows), _first(_unusable(rows), rows)
    cause = np.select([where for where, _ in conditions], [np.uint8(code) for _, code in conditions], np.uint8(0))
    cause[(cause == 0) & ~np.isfinite(minutes)] = Cause.MISSING_VALUES
    return Converted(np.where(cause == 0, minutes, np.nan), cause, o2_pct, impossible)


def at_reference(rows: HourRows, reference: Reference, barometric_pa: float | None) -> tuple[Float64s, Float64s]:
    """Minutes as dry gas at standard state and reference oxygen (NaN where impossible), and O2 in % vol of dry gas."""
    c, moisture = rows.concentration.minutes, rows.moisture.minutes
    actual = rows.basis == Basis.WET_ACTUAL
    known_pa = np.nan if barometric_pa is None else barometric_pa
    if actual.any():
        hot = normalise.standard_state(c, rows.stack_temperature.minutes, rows.stack_pressure.minutes, known_pa)
        c = np.where(actual[:, None], hot, c)
    if _is_wet(rows).any():
        c = np.where(_is_wet(rows)[:, None], normalise.wet_to_dry(c, moisture), c)
    o2_pct = rows.o2.minutes
    if rows.o2_is_wet.any():
        o2_pct = np.where(rows.o2_is_wet[:, None], normalise.wet_to_dry(o2_pct, moisture), o2_pct)
    converted = normalise.to_reference_oxygen(c, o2_pct, reference.o2_pct, reference.o2_base_pct, reference.o2_max_pct)
    return converted, np.asarray(o2_pct)


def _is_wet(rows: HourRows) -> Bools:
    return np.asarray((rows.basis == Basis.WET_STANDARD) | (rows.basis == Basis.WET_ACTUAL))


Condition = tuple[Bools, Cause]


def _left_out(rows: HourRows) -> list[Condition]:
    """Minutes that are lost whatever was measured, and those without a value. The first that holds is the cause."""
    return [
        (rows.excluded, Cause.FEW_OPERATING_MINUTES),
        (rows.marked, Cause.MARKED),
        (np.isnan(rows.concentration.minutes), Cause.MISSING_VALUES),
    ]


def _gas_losses(rows: HourRows, o2_pct: Float64s, o2_max_pct: float) -> list[Condition]:
    """Minutes that cannot be converted."""
    needs_moisture = (_is_wet(rows) | rows.o2_is_wet)[:, None]
    needs_state = (rows.basis == Basis.WET_ACTUAL)[:, None]
    state = rows.stack_temperature.minutes + rows.stack_pressure.minutes
    return [
        (np.isnan(rows.o2.minutes), Cause.MISSING_O2),
        (needs_moisture & np.isnan(rows.moisture.minutes), Cause.MISSING_MOISTURE),
        (needs_state & np.isnan(state), Cause.MISSING_STACK_STATE),
        (normalise.too_much_air(o2_pct, o2_max_pct), Cause.O2_TOO_HIGH),
    ]


def _unusable(rows: HourRows) -> list[Condition]:
    return [
        (~rows.concentration.present, Cause.NO_CHANNEL),
        (~rows.unit_known, Cause.UNKNOWN_UNIT),
    ]


def _impossible(rows: HourRows, barometric_pa: float | None) -> Int64s:
    """Why a row's gas cannot be judged at all; Cause.NONE where it can."""
    actual = rows.basis == Basis.WET_ACTUAL
    conditions = [
        *_unusable(rows),
        (rows.basis == Basis.UNKNOWN, Cause.NO_BASIS),
        (~rows.o2.present, Cause.NO_O2),
        ((_is_wet(rows) | rows.o2_is_wet) & ~rows.moisture.present, Cause.NO_MOISTURE),
        (actual & ~(rows.stack_temperature.present & rows.stack_pressure.present), Cause.NO_STACK_STATE),
        (actual & (barometric_pa is None), Cause.NO_BAROMETRIC_PRESSURE),
    ]
    return _first(conditions, rows)


def _first(conditions: list[Condition], rows: HourRows) -> Int64s:
    """The cause of the first condition that holds for each row."""
    choices = [np.full(len(rows.basis), int(cause)) for _, cause in conditions]
    return np.select([np.asarray(condition) for condition, _ in conditions], choices, int(Cause.NONE))
