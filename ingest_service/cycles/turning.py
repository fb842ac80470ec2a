"""The end of cooling: where a furnace turns to the heating for the next cremation, or to rest."""

import numpy as np

from ingest_service.columns import Bools
from ingest_service.cycles.changes import all_before, fast_change, first_true, last_true
from ingest_service.cycles.signals import Signals

_RELIT_S = 200.0  # from the primary burner's return to the fan at rest
_REST_S = 1_200.0  # after the ash door, without a burner: by then the furnace rests
_LIT_ABOVE_PCT, _GAS_ABOVE_M3_PER_H = 2.0, 0.5
_RATE_S, _RATE_LEAST_STEPS = 15.0, 2
_COUNTED_S = 240.0  # the controller's count of cremations moves so near to the turn
_HEATING_PCT = 20.0  # the primary burner's load is above that when it heats
_OUT_S = 120.0  # a burner out for so long is cooling, no flicker


def half_steps(signals: Signals) -> int:
    """The steps to either side over which a rate of change is taken."""
    return max(_RATE_LEAST_STEPS, signals.steps(_RATE_S))


def went_out(signals: Signals, first: int, last: int) -> int | None:
    """The step of `[first, last)` from which the primary burner stays out for a while, for the first time."""
    wide = signals.steps(_OUT_S)
    dark = first_true(all_before(is_out_primary(signals), wide), first, last)
    return None if dark is None else dark - wide + 1


def lit_primary(signals: Signals) -> Bools:
    """Steps at which the primary burner burns."""
    return _burns(signals, "burner1_on", "burner1_modulation")


def _burns(signals: Signals, contact: str, modulation: str) -> Bools:
    """As the burner's contact says; where it has none, by its modulation."""
    on = signals.of(contact)
    return np.asarray(np.where(np.isfinite(on), on > 0.5, signals.of(modulation) > _LIT_ABOVE_PCT))


def is_out_primary(signals: Signals) -> Bools:
    """Steps at which the primary burner is known not to burn."""
    known = np.isfinite(signals.of("burner1_modulation")) | np.isfinite(signals.of("burner1_on"))
    return np.asarray(known & ~lit_primary(signals))


def is_dark(signals: Signals) -> Bools:
    """Steps at which no burner burns, as far as any is known."""
    known = [np.isfinite(signals.of(name)) for name in ("burner1_on", "burner1_modulation", "gas_flow")]
    return np.asarray(np.any(known, axis=0) & ~is_lit(signals))


def is_lit(signals: Signals) -> Bools:
    """Steps at which any burner burns; where no burner is known, at which gas flows."""
    second = _burns(signals, "burner2_on", "burner2_modulation")
    return np.asarray(lit_primary(signals) | second | (signals.of("gas_flow") > _GAS_ABOVE_M3_PER_H))


def turn(signals: Signals, first: int, last: int, *, is_bounded: bool) -> int | None:
    """The step that ends the cooling in `[first, last)`: after the ash door, with the primary burner back or not.

    None while it may come yet; `is_bounded` says that nothing comes after `last` that belongs to this cremation.
    """
    signals = signals.between(signals.start_ms, signals.at_ms(last))
    cooled = _cooled(signals, first, last)
    if cooled is None:
        return last if is_bounded and last > first else None
    relit = first_true(lit_primary(signals), cooled, last)
    until = cooled + signals.steps(_REST_S) if relit is None else relit + signals.steps(_RELIT_S)
    if until > last and not is_bounded:
        return None
    until = min(until, last)
    fall = fast_change(signals.of("combustion_fan_frequency"), cooled, until, -1, half_steps(signals))
    if fall is not None:
        return _counted(signals, fall.end)
    return _counted(signals, cooled if relit is None else _heating_from(signals, relit, until))


def _cooled(signals: Signals, first: int, last: int) -> int | None:
    """When the ash door was last closed; without such a door, when the primary burner had been out for a while."""
    door = signals.of("ash_door_open") > 0.5
    raked = last_true(door, first, last)
    if raked is not None:
        return raked + 1
    if signals.has("ash_door_open") or not (signals.has("burner1_on") or signals.has("burner1_modulation")):
        return None
    out = went_out(signals, first, last)
    return None if out is None else out + signals.steps(_OUT_S)


def _heating_from(signals: Signals, relit: int, until: int) -> int:
    """When the primary burner that is back goes up for the next cremation, or begins to go out for a rest."""
    load = signals.of("burner1_modulation")[relit:until]
    if not np.isfinite(load).any():
        return relit
    if np.nanmax(load) < _HEATING_PCT:
        return relit + int(np.nanargmax(load))
    rise = fast_change(signals.of("burner1_modulation"), relit, until, 1, half_steps(signals))
    return relit if rise is None else rise.begin


def _counted(signals: Signals, found: int) -> int:
    """The step at which the controller counts the cremation, where it does so near to what was found."""
    count, near = signals.of("cremations_total"), signals.steps(_COUNTED_S)
    first = max(found - near, 1)
    moved = first_true(count[first:] > count[first - 1 : -1], 0, 2 * near)
    return found if moved is None else first + moved
