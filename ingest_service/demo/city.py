"""The demo city: three homes with seven furnaces, what went wrong yesterday, and what goes wrong now."""

from datetime import datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from string import Template

import msgspec

from edge_agent.wire.durations import HOUR_MS

SEED = 13801
FURNACES = 7
LOCAL = timezone(timedelta(hours=8))  # the simulator's default local time
BURNING = ("charge", "ignition", "main", "burnout")
Span = tuple[int, int]
STOPPED_FURNACE = 2  # yesterday without lime for one hour
STUCK_AFTER_S = 5  # soon after the start an analyser freezes
FIRST_HOUR = 8  # of yesterday, local time: here the history begins
BY_DAY = range(10, 17)  # the local hours of yesterday that may be the bad one


class Phase(msgspec.Struct, frozen=True):
    """A phase of a true cremation, ms since 1970 UTC."""

    phase: str
    from_ms: int
    to_ms: int


class Cycle(msgspec.Struct, frozen=True):
    """A true cremation as `edge-agent simulate --truth` tells it."""

    furnace: int
    phases: tuple[Phase, ...]


def write_sites(folder: Path, broker_port: int, modbus_port: int) -> list[Path]:
    """Fill in the ports of the homes' site files; return the files."""
    paths = []
    for site in sorted(files("ingest_service.demo").joinpath("sites").iterdir(), key=lambda entry: entry.name):
        path = folder / site.name
        text = Template(site.read_text(encoding="utf-8")).substitute(broker_port=broker_port, modbus_port=modbus_port)
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def history_hours(now_ms: int) -> int:
    """How many hours of history reach back to yesterday's first one: 16 to 41."""
    return -(-(now_ms - _yesterday_ms(now_ms, FIRST_HOUR)) // HOUR_MS)


def faults(truth: Path, now_ms: int) -> tuple[str, ...]:
    """The planted faults, with absolute times: the past and the live simulation share them.

    Yesterday, by day, a furnace without lime in the hour in which it burnt longest, so that the hour is valid. Soon, a
    frozen CO analyser at the furnace that goes on burning for the longest time.
    """
    burning = _burning_spans(truth)
    hours = [_yesterday_ms(now_ms, hour) for hour in BY_DAY]
    bad_ms = max(hours, key=lambda start_ms: _overlap_ms(burning[STOPPED_FURNACE], start_ms, start_ms + HOUR_MS))
    stuck_ms = now_ms + STUCK_AFTER_S * 1000
    others = [furnace for furnace in burning if furnace != STOPPED_FURNACE]
    stuck = max(others, key=lambda furnace: _burns_until_ms(burning[furnace], stuck_ms))
    return (
        f"furnace={STOPPED_FURNACE},kind=dosing_stop,channel=hcl,from={_iso(bad_ms)},to={_iso(bad_ms + HOUR_MS)}",
        f"furnace={stuck},kind=stuck,channel=co,from={_iso(stuck_ms)}",
    )


def fault_belongs(fault: str, site: Path) -> bool:
    """Whether the fault's furnace is one of the site file's."""
    furnace = fault.partition(",")[0].removeprefix("furnace=")
    return f"unit_id = {furnace}\n" in site.read_text(encoding="utf-8")


def _burning_spans(truth: Path) -> dict[int, list[Span]]:
    """When each furnace burns (ms), oldest first."""
    spans: dict[int, list[Span]] = {}
    for cycle in msgspec.json.Decoder(Cycle).decode_lines(truth.read_bytes()):
        phases = [phase for phase in cycle.phases if phase.phase in BURNING]
        spans.setdefault(cycle.furnace, []).append((phases[0].from_ms, phases[-1].to_ms))
    return spans


def _overlap_ms(spans: list[Span], from_ms: int, to_ms: int) -> int:
    return sum(max(0, min(end_ms, to_ms) - max(start_ms, from_ms)) for start_ms, end_ms in spans)


def _burns_until_ms(spans: list[Span], at_ms: int) -> int:
    """The end of the burning that is under way at a time; 0 where none is."""
    return max((end_ms for start_ms, end_ms in spans if start_ms <= at_ms < end_ms), default=0)


def _yesterday_ms(now_ms: int, hour: int) -> int:
    day = datetime.fromtimestamp(now_ms / 1000, LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return round((day - timedelta(days=1) + timedelta(hours=hour)).timestamp() * 1000)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, LOCAL).isoformat()
