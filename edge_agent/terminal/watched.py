"""The newest sample of every tag of a site as a table that is drawn again and again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from edge_agent.counters import PollCounters
from edge_agent.devices.profile import Channel
from edge_agent.tags import DeviceTags
from edge_agent.wire.sample import Reason, Sample

STALE_PERIODS = 3  # a value that was due so often since is old
_STYLES = {"good": "green", "uncertain": "yellow", "bad": "bold red"}


class WatchedTags:
    """Remembers the newest sample of each tag, and the newest that held a value."""

    def __init__(self, devices: Sequence[DeviceTags]) -> None:
        self._devices = devices
        self._newest: dict[int, Sample] = {}
        self._valued_at_ms: dict[int, int] = {}

    def note(self, samples: Iterable[Sample]) -> None:
        """Take in what was read."""
        for sample in samples:
            self._newest[sample.alias] = sample
            if not sample.reason.is_bad:
                self._valued_at_ms[sample.alias] = sample.measured_at_ms

    @property
    def are_all_heard(self) -> bool:
        """True when there is a sample of every tag, good or bad."""
        return all(alias in self._newest for device in self._devices for alias in device.aliases)

    def table(self, now_ms: int, counters: Mapping[str, PollCounters]) -> RichTable:
        """Tag by tag: value, unit, quality with its reason, and age; above each device how fast it answers."""
        table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("tag", no_wrap=True, overflow="ellipsis")
        table.add_column("value", justify="right", no_wrap=True, overflow="ellipsis", max_width=24)
        table.add_column("unit", no_wrap=True)
        table.add_column("quality", no_wrap=True)
        table.add_column("age", justify="right", no_wrap=True)
        table.add_column("response", justify="right", no_wrap=True)
        for device in self._devices:
            counted = counters.get(device.device.name, PollCounters(device=device.device.name))
            table.add_row(Text(_device_line(device, counted), style="bold"), end_section=False)
            for channel, alias in zip(device.device.profile.channels, device.aliases, strict=True):
                table.add_row(*self._cells(channel, alias, now_ms, counted))
            table.add_section()
        return table

    def _cells(self, channel: Channel, alias: int, now_ms: int, counted: PollCounters) -> Iterator[Text]:
        sample = self._newest.get(alias)
        yield Text(f"  {channel.name}")
        yield Text(shown_value(channel, sample))
        yield Text(channel.unit)
        yield _quality(sample)
        yield self._age(channel, alias, now_ms)
        yield Text(_milliseconds(counted.response_times_ms[-1] if counted.response_times_ms else None), style="dim")

    def _age(self, channel: Channel, alias: int, now_ms: int) -> Text:
        """How long ago there was a value."""
        valued_at_ms = self._valued_at_ms.get(alias)
        if valued_at_ms is None:
            return Text("-", style="dim")
        age_ms = max(0, now_ms - valued_at_ms)
        return Text(shown_age(age_ms), style="yellow" if age_ms > STALE_PERIODS * channel.scan_ms else "")


def shown_value(channel: Channel, sample: Sample | None) -> str:
    """A value as people read it: codes by their names, numbers without needless digits, a dash where there is none."""
    if sample is None or sample.value is None:
        return "-"
    value = sample.value
    if isinstance(value, str):
        return value
    if channel.states:
        return f"{value:.0f} {channel.states.get(int(value), '?')}"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def shown_age(age_ms: int) -> str:
    """An age in the unit that suits it."""
    seconds = age_ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _quality(sample: Sample | None) -> Text:
    if sample is None:
        return Text("not read yet", style="dim")
    reason = sample.reason
    if reason is Reason.GOOD:
        return Text("good", style=_STYLES["good"])
    word = "bad" if reason.is_bad else "uncertain"
    return Text(f"{word}: {reason.label}", style=_STYLES[word])


def _device_line(tags: DeviceTags, counted: PollCounters) -> str:
    device = tags.device
    line = f"{device.name} (furnace {device.furnace}, unit {device.unit_id} on {device.connection})"
    if (median_ms := counted.response_ms(50)) is not None:
        line += f" p50 {median_ms} ms, p95 {counted.response_ms(95)} ms"
    return line + (f", {counted.timeouts} timeouts" if counted.timeouts else "")


def _milliseconds(time_ms: int | None) -> str:
    return "-" if time_ms is None else f"{time_ms} ms"
