"""One channel in a birth: its metric with value and properties, and how that is read."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from edge_agent.wire.metric import DataType, Scalar, add_property, get_value, read_properties, set_value
from edge_agent.wire.sample import Reason, Sample
from edge_agent.wire.sparkplug_b_pb2 import Metric, Payload


class ChannelBirth(msgspec.Struct, frozen=True, kw_only=True):
    """What the centre must know of one channel before its first value.

    `quantity` is a name of quantities.toml, or "" when the channel is none of them. `period_s` is the longest silence
    between two samples while all is well (s); `low` and `high` bound the plausible range in `unit`. `states` names the
    codes of an enumeration. `basis` says for which gas state a concentration holds (see quantities.toml).
    """

    name: str
    alias: int | None
    datatype: DataType
    unit: str = ""
    quantity: str = ""
    name_zh: str = ""
    name_en: str = ""
    basis: str = ""
    low: float | None = None
    high: float | None = None
    period_s: float | None = None
    states: dict[int, str] = {}


def add_channel(payload: Payload, channel: ChannelBirth, first: Sample | None, sent_at_ms: int) -> None:
    """Append the metric of a channel with its first value, null where it has none yet."""
    at_ms = first.measured_at_ms if first else sent_at_ms
    metric = payload.metrics.add(name=channel.name, timestamp=at_ms, datatype=channel.datatype)
    if channel.alias is not None:
        metric.alias = channel.alias
    for key, value in _described(channel):
        add_property(metric.properties, key, value)
    if first is None or first.value is None:
        metric.is_null = True
        add_property(metric.properties, "Quality", 500 if first is None else 0)
        add_property(metric.properties, "Reason", (first.reason if first else Reason.STALE).label)
    else:
        set_value(metric, channel.datatype, first.value)
        if first.reason is not Reason.GOOD:
            add_property(metric.properties, "Reason", first.reason.label)


def _described(channel: ChannelBirth) -> Iterable[tuple[str, Any]]:
    """The property keys of a channel; `engUnit`, `engLow` and `engHigh` are the names other hosts know."""
    states = ",".join(f"{code}={name}" for code, name in channel.states.items())
    pairs = (
        ("engUnit", channel.unit),
        ("engLow", channel.low),
        ("engHigh", channel.high),
        ("Quantity", channel.quantity),
        ("NameZh", channel.name_zh),
        ("NameEn", channel.name_en),
        ("Basis", channel.basis),
        ("PeriodS", channel.period_s),
        ("States", states),
    )
    return ((key, value) for key, value in pairs if value not in ("", None))


def read_channel(metric: Metric) -> ChannelBirth | None:
    """The channel that a birth metric describes, or None for a type that is no scalar (data set, template, array)."""
    described = _read(metric.name, metric.datatype, metric.properties.SerializeToString())
    if described is None or not metric.HasField("alias"):
        return described
    return msgspec.structs.replace(described, alias=metric.alias)


@lru_cache(maxsize=8_192)
def _read(name: str, number: int, properties: bytes) -> ChannelBirth | None:
    """A channel without its alias, read once: devices of a type differ in nothing else, nor does a later birth."""
    try:
        datatype = DataType(number)
    except ValueError:
        return None
    if datatype in (DataType.BYTES, DataType.UINT64_ARRAY):
        return None
    found = read_properties(properties)
    return ChannelBirth(
        name=name,
        alias=None,
        datatype=datatype,
        unit=_text(found, "engUnit"),
        quantity=_text(found, "Quantity"),
        name_zh=_text(found, "NameZh"),
        name_en=_text(found, "NameEn"),
        basis=_text(found, "Basis"),
        low=_number(found, "engLow"),
        high=_number(found, "engHigh"),
        period_s=_number(found, "PeriodS"),
        states=_states(_text(found, "States")),
    )


def first_sample(metric: Metric, channel: ChannelBirth, sent_at_ms: int) -> Iterable[Sample]:
    """The value that came with the birth, if it has one and the channel has an alias."""
    value = get_value(metric, channel.datatype)
    if value is not None and channel.alias is not None:
        at_ms = metric.timestamp or sent_at_ms
        yield Sample(channel.alias, at_ms, value if isinstance(value, str) else float(value))


def _text(found: Mapping[str, Scalar], key: str) -> str:
    value = found.get(key, "")
    return value if isinstance(value, str) else str(value)


def _number(found: Mapping[str, Scalar], key: str) -> float | None:
    value = found.get(key)
    return float(value) if isinstance(value, int | float) else None


def _states(text: str) -> dict[int, str]:
    pairs = (part.partition("=") for part in text.split(",") if part)
    return {int(code): name for code, _, name in pairs if code.lstrip("-").isdigit()}
