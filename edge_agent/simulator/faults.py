"""Planted faults as data, and what they do to what a furnace shows."""

import math
from contextlib import suppress
from datetime import datetime
from enum import StrEnum, unique

import msgspec

from edge_agent.errors import ConfigError
from edge_agent.simulator.furnace import FurnaceModel, FurnaceState
from edge_agent.simulator.process import LIME_SPARES
from edge_agent.wire.durations import HOUR_MS

SETTLING_S = 120.0
_GONE_AFTER_S = 10 * SETTLING_S
_TORN_BAG_DUST, _TORN_BAG_PRESSURE = 14.0, 0.55


@unique
class FaultKind(StrEnum):
    """What can be planted.

    dosing_stop: no lime, HCl and SO2 rise over their limits (with a channel: that gas alone). torn_bag: dust rises, the
    filter's pressure drop falls. stuck: a value frozen. offset: a value off by `amount`. drift: off by `amount` more
    each hour. wire_break: raw value out of span. silent: the unit does not answer. slow: it answers `amount` s late.
    """

    DOSING_STOP = "dosing_stop"
    TORN_BAG = "torn_bag"
    STUCK = "stuck"
    OFFSET = "offset"
    DRIFT = "drift"
    WIRE_BREAK = "wire_break"
    SILENT = "silent"
    SLOW = "slow"


NEEDS_CHANNEL = frozenset({FaultKind.STUCK, FaultKind.OFFSET, FaultKind.DRIFT, FaultKind.WIRE_BREAK})
NEEDS_AMOUNT = frozenset({FaultKind.OFFSET, FaultKind.DRIFT, FaultKind.SLOW})
_DOSED = ("hcl", "so2")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one furnace between two times (ms since 1970 UTC, the end excluded). `channel` is a quantity."""

    furnace: int
    kind: FaultKind
    from_ms: int
    to_ms: int
    channel: str = ""
    amount: float = 0.0

    def holds(self, at_ms: int) -> bool:
        """True while the fault is there."""
        return self.from_ms <= at_ms < self.to_ms

    def level(self, at_ms: int) -> float:
        """How far the process has gone over to the fault, 0 to 1: it settles within minutes, and back again."""
        if at_ms < self.from_ms:
            return 0.0
        risen = 1.0 - math.exp(-(min(at_ms, self.to_ms) - self.from_ms) / 1000.0 / SETTLING_S)
        past_s = (at_ms - self.to_ms) / 1000.0
        if past_s <= 0.0:
            return risen
        return risen * math.exp(-past_s / SETTLING_S) if past_s < _GONE_AFTER_S else 0.0


class FaultyFurnace:
    """A furnace model with the faults planted in it."""

    def __init__(self, model: FurnaceModel, faults: tuple[Fault, ...] = ()) -> None:
        self._model = model
        self._faults = faults
        self._frozen = {fault: getattr(model.at(fault.from_ms), fault.channel) for fault in faults if _freezes(fault)}

    def at(self, at_ms: int) -> FurnaceState:
        """What the sensors show in the second of `at_ms`."""
        state = self._model.at(at_ms)
        for fault in self._faults:
            state = self._changed(state, fault, at_ms)
        return state

    def broken_channels(self, at_ms: int) -> tuple[str, ...]:
        """The quantities whose wire is broken."""
        broken = (fault for fault in self._faults if fault.kind is FaultKind.WIRE_BREAK)
        return tuple(fault.channel for fault in broken if fault.holds(at_ms))

    def delay_s(self, at_ms: int) -> float | None:
        """How late the unit answers, s; None when it does not."""
        kinds = {fault.kind: fault.amount for fault in self._faults if fault.holds(at_ms)}
        return None if FaultKind.SILENT in kinds else kinds.get(FaultKind.SLOW, 0.0)

    def _changed(self, state: FurnaceState, fault: Fault, at_ms: int) -> FurnaceState:
        if fault.kind is FaultKind.DOSING_STOP:
            return _without_lime(state, fault, at_ms)
        if fault.kind is FaultKind.TORN_BAG:
            return _torn(state, fault.level(at_ms))
        if not fault.holds(at_ms) or fault.kind not in NEEDS_CHANNEL:
            return state
        value = getattr(state, fault.channel)
        if fault.kind is FaultKind.STUCK:
            value = self._frozen[fault]
        elif fault.kind is FaultKind.OFFSET:
            value += fault.amount
        elif fault.kind is FaultKind.DRIFT:
            value += fault.amount * (at_ms - fault.from_ms) / HOUR_MS
        return msgspec.structs.replace(state, **{fault.channel: value})


def parse_fault(text: str, start_ms: int) -> Fault:
    """A fault from `furnace=3,channel=hcl,kind=dosing_stop,from=60,to=3600`; times in s after the start, or ISO 8601.

    Raises ConfigError.
    """
    fields = dict(_parse_field(part) for part in text.split(","))
    fault = Fault(
        furnace=_parse_furnace(fields),
        kind=_parse_kind(fields),
        from_ms=_parse_time(fields.get("from", "0"), "from", start_ms),
        to_ms=_parse_time(fields["to"], "to", start_ms) if "to" in fields else 1 << 62,
        channel=fields.get("channel", ""),
        amount=_parse_number(fields.get("amount", "0"), "amount"),
    )
    _check(fault)
    return fault


def _freezes(fault: Fault) -> bool:
    return fault.kind is FaultKind.STUCK


def _without_lime(state: FurnaceState, fault: Fault, at_ms: int) -> FurnaceState:
    level = fault.level(at_ms)
    rise = 1.0 + (LIME_SPARES - 1.0) * level
    gases = {name: round(getattr(state, name) * rise, 2) for name in _DOSED if fault.channel in ("", name)}
    lime = 0.0 if fault.holds(at_ms) else state.lime_dosing
    return msgspec.structs.replace(state, lime_dosing=lime, **gases) if level else state


def _torn(state: FurnaceState, level: float) -> FurnaceState:
    if not level:
        return state
    dust = state.dust * (1.0 + (_TORN_BAG_DUST - 1.0) * level)
    drop = state.filter_pressure_drop * (1.0 - (1.0 - _TORN_BAG_PRESSURE) * level)
    return msgspec.structs.replace(state, dust=round(dust, 2), filter_pressure_drop=round(drop))


def _parse_field(part: str) -> tuple[str, str]:
    key, _, value = part.strip().partition("=")
    if key not in ("furnace", "channel", "kind", "from", "to", "amount") or not value:
        raise ConfigError("--fault", key, "unknown or empty", "furnace, kind, channel, from, to, amount as key=value")
    return key, value


def _parse_kind(fields: dict[str, str]) -> FaultKind:
    try:
        return FaultKind(fields.get("kind", ""))
    except ValueError:
        raise ConfigError("--fault", "kind", f"{fields.get('kind', '')!r} is none", ", ".join(FaultKind)) from None


def _parse_furnace(fields: dict[str, str]) -> int:
    text = fields.get("furnace", "")
    if not text.isdecimal():
        raise ConfigError("--fault", "furnace", f"{text!r} is no furnace", "its number, from 1")
    return int(text)


def _parse_number(text: str, key: str) -> float:
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    raise ConfigError("--fault", key, f"{text!r} is no number")


def _parse_time(text: str, key: str, start_ms: int) -> int:
    with suppress(ConfigError):
        return start_ms + round(_parse_number(text, key) * 1000.0)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("--fault", key, f"{text!r} is no time", "seconds after the start, or ISO 8601") from None
    if instant.tzinfo is None:
        raise ConfigError("--fault", key, f"{text!r} has no time zone", "an instant as 2026-01-31T08:00:00Z")
    return round(instant.timestamp() * 1000.0)


def _check(fault: Fault) -> None:
    """Refuse what could not be seen: an unknown channel, a missing amount, an end before the beginning."""
    known = FurnaceState.__struct_fields__
    if fault.to_ms <= fault.from_ms:
        raise ConfigError("--fault", "to", "not after from")
    if fault.kind in NEEDS_AMOUNT and fault.amount == 0.0:
        raise ConfigError("--fault", "amount", f"{fault.kind} needs one, other than 0")
    if fault.kind is FaultKind.DOSING_STOP and fault.channel not in ("", *_DOSED):
        raise ConfigError("--fault", "channel", f"{fault.channel!r} is no gas that lime takes", ", ".join(_DOSED))
    if fault.kind in NEEDS_CHANNEL and fault.channel not in known:
        raise ConfigError("--fault", "channel", f"{fault.channel!r} is no quantity", ", ".join(known))
