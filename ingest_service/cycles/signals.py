"""A furnace's signals on one grid of steps: what each showed, held until its next sample."""

import msgspec
import numpy as np

from ingest_service.columns import Float64s, Int64s, SampleColumns

STEP_MS = 1_000  # a cremation's signals are laid out by the second, as they are read
NO_SERIES = -1
QUANTITIES = (
    "phase", "cremations_total", "charge_door_open", "trolley_in", "ash_door_open",
    "burner1_on", "burner1_modulation", "burner2_on", "burner2_modulation", "combustion_fan_frequency",
    "chamber1_temperature", "chamber2_temperature", "flue_o2",
    "gas_flow", "gas_total", "electricity_power", "electricity_total",
    "co", "so2", "nox", "no", "no2", "hcl", "dust",
    "stack_temperature", "stack_pressure", "stack_velocity", "stack_moisture",
)  # fmt: skip
_ROWS = {name: row for row, name in enumerate(QUANTITIES)}


class Signals(msgspec.Struct, frozen=True):
    """Columns (QUANTITIES, steps) from `start_ms` (ms since 1970 UTC), a step each `step_ms`; NaN where unknown."""

    start_ms: int
    step_ms: int
    columns: Float64s

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    def of(self, quantity: str) -> Float64s:
        """The column of one of QUANTITIES."""
        column: Float64s = self.columns[_ROWS[quantity]]
        return column

    def has(self, quantity: str) -> bool:
        """Whether anything is known of it."""
        return bool(np.isfinite(self.of(quantity)).any())

    def at_ms(self, step: int) -> int:
        """When a step begins."""
        return self.start_ms + step * self.step_ms

    def step(self, at_ms: int) -> int:
        """The step in which a time lies, within the grid (its length for the end)."""
        return min(max((at_ms - self.start_ms) // self.step_ms, 0), len(self))

    def steps(self, span_s: float) -> int:
        """How many steps a span is, at least 1."""
        return max(1, round(span_s * 1000 / self.step_ms))

    def between(self, from_ms: int, to_ms: int) -> "Signals":
        """The steps of `[from_ms, to_ms)`."""
        first, last = self.step(from_ms), self.step(to_ms)
        return Signals(self.at_ms(first), self.step_ms, self.columns[:, first:last])


class Feed(msgspec.Struct, frozen=True):
    """Which series show a furnace's quantities, a row for each of QUANTITIES.

    `series` is NO_SERIES where it has none; a sample holds for `hold_ms`; `factor` and `offset` bring it into the unit
    of the catalogue of quantities, for gases into mg/m3.
    """

    series: Int64s
    hold_ms: Int64s
    factor: Float64s
    offset: Float64s


def lay_out(samples: SampleColumns, feed: Feed, from_ms: int, to_ms: int, step_ms: int = STEP_MS) -> Signals:
    """Samples, sorted by (series, time), on a grid over `[from_ms, to_ms)`. Bad samples are unknown from there on."""
    grid = np.arange(from_ms, to_ms, step_ms, dtype=np.int64)
    columns = np.full((len(QUANTITIES), len(grid)), np.nan)
    for row in np.flatnonzero(feed.series != NO_SERIES):
        first, last = np.searchsorted(samples.series, [feed.series[row], feed.series[row] + 1])
        if last > first and len(grid):
            times, values = samples.measured_at_ms[first:last], samples.value[first:last]
            held = _held(times, values, grid, int(feed.hold_ms[row]))
            columns[row] = held * feed.factor[row] + feed.offset[row]
    return Signals(from_ms, step_ms, columns)


def _held(times_ms: Int64s, values: Float64s, grid: Int64s, hold_ms: int) -> Float64s:
    at = np.searchsorted(times_ms, grid, side="right") - 1
    known = at >= 0
    at = np.maximum(at, 0)
    fresh = known & (grid - times_ms[at] < hold_ms)
    return np.where(fresh, values[at], np.nan)
