"""The phases of one cremation: told by the controller, or seen in doors, burners, fan and oxygen."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_agent.wire.quantity import PHASES
from ingest_service.columns import Float64s
from ingest_service.cycles.changes import all_before, bend, block_means, fast_change, first_true, last_true
from ingest_service.cycles.cycle import FoundBy
from ingest_service.cycles.signals import Signals
from ingest_service.cycles.turning import half_steps, is_dark, is_lit, is_out_primary, turn, went_out

_CODES = {name: code for code, name in PHASES.items()}
_NEAR_S = 180.0  # from the minute that told of a charge to the charge itself
_TROLLEY_BEFORE_S = 60.0  # the trolley comes before the door opens
_DOOR_OPEN_AT_MOST_S = 600.0
_BURNING_AT_LEAST_S = 1_200.0  # ignition and main combustion together
_ASH_AFTER_COOLING_S = 480.0
_SLOW_RATE_S = 45.0  # the same for a burner that takes minutes to come up
_OFF_S = 300.0  # without any burner for so long, a furnace is heated anew
_HEATED_AT_MOST_S = 2_700.0  # from the end of one cremation to the charge of the next while heating goes on
_DIP_S, _DIP_MEAN_S = 900.0, 120.0  # where the lowest oxygen lies after the charge, and over what it is taken
_AFTER_DIP_S, _STEADY_S, _BLOCK_S = 60.0, 720.0, 10.0
_FINEST = (0.1, 0.05, 0.1)  # of burner modulation (%), fan frequency (Hz) and oxygen (%)


class Phases(msgspec.Struct, frozen=True):
    """When one cremation's phases begin, ms since 1970 UTC; None where that was not seen."""

    found_by: FoundBy
    start_ms: int
    charge_ms: int
    ignition_ms: int | None
    main_ms: int | None
    burnout_ms: int | None
    cooling_ms: int | None
    end_ms: int


def phases_told(signals: Signals, near_ms: int) -> Phases | None:
    """The phases as the controller names them, of the charge near a time; None where it ended not yet, or no charge."""
    codes = _filled(signals.of("phase"))
    charge = first_true(
        codes == _CODES["charge"], signals.step(near_ms - 60_000), signals.step(near_ms) + _near(signals)
    )
    if charge is None:
        return None
    over = first_true(np.isfinite(codes) & (codes < _CODES["charge"]), charge, len(signals))
    again = _again(codes, charge)
    end = min((step for step in (over, again) if step is not None), default=None)
    if end is None:
        return None
    preheat = last_true(codes[:charge] != _CODES["preheat"], 0, charge)
    began = [first_true(codes == _CODES[name], charge, end) for name in ("ignition", "main", "burnout", "cooling")]
    start = 0 if preheat is None else preheat + 1
    return _phases(signals, FoundBy.PHASE, (start, charge, *began, end))


def phases_seen(signals: Signals, near_ms: int, has_next: bool) -> Phases | None:
    """The phases as the signals show them, of the charge near a time; None while it may not have ended.

    `signals` begin at the charge before it at the earliest and end at the next one (`has_next`) at the latest.
    """
    charge, closed = _charge(signals, near_ms)
    end = turn(signals, closed + signals.steps(_BURNING_AT_LEAST_S), len(signals), is_bounded=has_next)
    if end is None:
        return None
    cooling = _cooling(signals, closed, end)
    burnout = None if cooling is None else _burnout(signals, closed, cooling)
    main = _main(signals, closed, burnout or cooling or end)
    start = _start(signals, charge, near_ms)
    return _phases(signals, FoundBy.SIGNALS, (start, charge, closed, main, burnout, cooling, end))


def _phases(signals: Signals, found_by: FoundBy, steps: Sequence[int | None]) -> Phases:
    """The phases that begin at these steps: start, charge, ignition, main, burnout, cooling, end."""
    start, charge, *began, end = [None if step is None else signals.at_ms(step) for step in steps]
    if start is None or charge is None or end is None:
        raise ValueError("a cremation has a start, a charge and an end")
    ignition, main, burnout, cooling = began
    return Phases(found_by, start, charge, ignition, main, burnout, cooling, end)


def _near(signals: Signals) -> int:
    return signals.steps(_NEAR_S)


def _filled(codes: Float64s) -> Float64s:
    """Codes with what is unknown taken as the one before: a phase lasts until another is told."""
    known = np.isfinite(codes)
    at = np.maximum.accumulate(np.where(known, np.arange(len(codes)), -1))
    return np.where(at >= 0, codes[np.maximum(at, 0)], np.nan)


def _again(codes: Float64s, charge: int) -> int | None:
    """The next charge where no idle or preheating lies between."""
    left = first_true(codes > _CODES["charge"], charge, len(codes))
    return None if left is None else first_true(codes == _CODES["charge"], left, len(codes))


def _charge(signals: Signals, near_ms: int) -> tuple[int, int]:
    """When the charge begins (trolley or door), and when the door is closed again."""
    near = signals.step(near_ms)
    first, last = near - signals.steps(_TROLLEY_BEFORE_S), near + _near(signals)
    door, away = signals.of("charge_door_open") > 0.5, signals.of("trolley_in") < 0.5
    opened, left = first_true(door, first, last), first_true(away, first, last)
    begin = min((step for step in (opened, left) if step is not None), default=near)
    shut = signals.of("charge_door_open") <= 0.5 if opened is not None else signals.of("trolley_in") >= 0.5
    closed = first_true(shut, opened if opened is not None else begin, begin + signals.steps(_DOOR_OPEN_AT_MOST_S))
    return begin, begin if closed is None else closed


def _cooling(signals: Signals, closed: int, end: int) -> int | None:
    """The combustion fan speeds up, or the primary burner begins to go out, before the ash is raked out."""
    ash = first_true(signals.of("ash_door_open") > 0.5, closed + signals.steps(_BURNING_AT_LEAST_S), end)
    out = went_out(signals, closed + signals.steps(_BURNING_AT_LEAST_S), end if ash is None else ash)
    if ash is None and out is None:
        return None
    last = ash if ash is not None else min(end, (out or 0) + half_steps(signals))
    first = max(last - signals.steps(_ASH_AFTER_COOLING_S), closed)
    rise = fast_change(signals.of("combustion_fan_frequency"), first, last, 1, half_steps(signals))
    fall = rise or fast_change(signals.of("burner1_modulation"), first, last, -1, half_steps(signals))
    fall = fall or fast_change(signals.of("gas_flow"), first, last, -1, half_steps(signals))
    return fall.begin if fall is not None else out


def _burnout(signals: Signals, closed: int, cooling: int) -> int | None:
    """The primary burner comes up again after the main combustion."""
    first, last = closed + signals.steps(_BURNING_AT_LEAST_S), cooling - signals.steps(_TROLLEY_BEFORE_S)
    for quantity in ("burner1_modulation", "gas_flow"):
        rise = fast_change(signals.of(quantity), first, last, 1, signals.steps(_SLOW_RATE_S))
        if rise is not None:
            return rise.begin
    return None


def _main(signals: Signals, closed: int, last: int) -> int | None:
    """After the dip of the oxygen, burner, fan and oxygen bend into a steady course."""
    size = max(1, signals.steps(_BLOCK_S))
    dip = block_means(signals.of("flue_o2")[closed : closed + signals.steps(_DIP_S)], size)
    width = max(1, round(_DIP_MEAN_S / _BLOCK_S))
    if np.isfinite(dip).sum() < 2 * width:
        return None
    smooth = np.convolve(np.nan_to_num(dip, nan=21.0), np.full(width, 1.0 / width), "valid")
    first = closed + (int(np.argmin(smooth)) + width // 2) * size + signals.steps(_AFTER_DIP_S)
    last = min(last, first + signals.steps(_STEADY_S))
    names = ("burner1_modulation", "combustion_fan_frequency", "flue_o2")
    found = bend([block_means(signals.of(name)[first:last], size) for name in names], _FINEST)
    return None if found is None else first + found * size


def _start(signals: Signals, charge: int, near_ms: int) -> int:
    """When heating for a charge begins: at the end of the cremation before it, or when a cold furnace is lit."""
    lit, off = is_lit(signals), signals.steps(_OFF_S)
    dark = last_true(all_before(is_dark(signals), off), 0, charge)
    if dark is not None:
        return min(first_true(lit, dark, charge) or charge, charge)
    near = signals.step(near_ms)
    before = turn(signals, min(signals.steps(_BURNING_AT_LEAST_S), near), near, is_bounded=True)
    if before is not None and charge - before <= signals.steps(_HEATED_AT_MOST_S):
        return before
    out = last_true(is_out_primary(signals), 0, charge)
    return charge if out is None or not lit.any() else min(out + 1, charge)
