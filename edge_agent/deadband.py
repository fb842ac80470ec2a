"""Which samples are worth reporting: changes beyond a deadband, changes of quality, and a sign of life per period."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from edge_agent.wire.sample import Reason

Value = float | str | None


class ReportMode(StrEnum):
    """When a channel reports: on change, on change and at least once a period, or every reading."""

    ON_CHANGE = "on_change"
    ON_CHANGE_OR_PERIOD = "on_change_or_period"
    ALWAYS = "always"


class ReportRule(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's rule. A number has changed when it differs from the last reported by more than `deadband` (its unit).

    A reading that comes up to `slack_ms` before the period's end counts as on time: the next one would be late.
    """

    mode: ReportMode = ReportMode.ON_CHANGE_OR_PERIOD
    deadband: float = 0.0
    period_ms: int = 10_000
    slack_ms: int = 0


def deadband_of_range(percent: float, low: float, high: float) -> float:
    """A deadband given in percent of the plausible range, in the channel's unit (OPC UA part 8, PercentDeadband)."""
    return percent / 100.0 * (high - low)


def has_changed(before: Value, value: Value, deadband: float) -> bool:
    """True when a value left the deadband round the last reported one; text and missing values change by inequality."""
    if isinstance(before, float) and isinstance(value, float):
        return abs(value - before) > deadband
    return before != value


class ReportFilter:
    """Remembers what was last reported of each channel of one device, by the channel's position."""

    def __init__(self, rules: Sequence[ReportRule]) -> None:
        self._modes = [rule.mode for rule in rules]
        self._deadbands = [rule.deadband for rule in rules]
        self._periods_ms = [
            rule.period_ms - rule.slack_ms if rule.mode is ReportMode.ON_CHANGE_OR_PERIOD else None for rule in rules
        ]
        self._values: list[Value] = [None] * len(rules)
        self._reasons: list[Reason | None] = [None] * len(rules)
        self._reported_at_ms = [0] * len(rules)

    def passes(self, position: int, value: Value, reason: Reason, at_ms: int) -> bool:
        """True when this reading is to be reported; it is then the one that later readings are compared with."""
        if not self._is_news(position, value, reason, at_ms):
            return False
        self._values[position] = value
        self._reasons[position] = reason
        self._reported_at_ms[position] = at_ms
        return True

    def _is_news(self, position: int, value: Value, reason: Reason, at_ms: int) -> bool:
        if reason is not self._reasons[position] or self._modes[position] is ReportMode.ALWAYS:
            return True
        if has_changed(self._values[position], value, self._deadbands[position]):
            return True
        period_ms = self._periods_ms[position]
        silence_ms = at_ms - self._reported_at_ms[position]
        return period_ms is not None and not 0 <= silence_ms < period_ms  # times fall when a clock is set right
