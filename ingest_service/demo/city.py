"""The demo city: three homes with seven furnaces, what went wrong yesterday, and what goes wrong now."""

from datetime import datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from string import Template

import msgspec

SEED = 13801
FURNACES = 7
LOCAL = timezone(timedelta(hours=8))  # the simulator's default local time
BURNING = ("charge", "ignition", "main", "burnout")
HOUR_MS = 3_600_000
STOPPED_FURNACE = 2  # yesterday without lime for one hour
STUCK_FURNACE = 5  # its CO analyser freezes soon after the start
STUCK_AFTER_S = 5
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


def choose_bad_hour(truth: Path, now_ms: int) -> int:
    """The start (ms) of the clock hour of yesterday, by day, in which the furnace burnt longest: its mean is valid."""
    cycles = msgspec.json.Decoder(Cycle).decode_lines(truth.read_bytes())
    burning = [
        (phase.from_ms, phase.to_ms)
        for cycle in cycles
        if cycle.furnace == STOPPED_FURNACE
        for phase in cycle.phases
        if phase.phase in BURNING
    ]
    hours = [_yesterday_ms(now_ms, hour) for hour in BY_DAY]
    return max(hours, key=lambda start_ms: _overlap_ms(burning, start_ms))


def faults(bad_hour_ms: int, now_ms: int) -> tuple[str, ...]:
    """The planted faults, with absolute times: the past and the live simulation share them."""
    from_, to = (_iso(bad_hour_ms + shift) for shift in (0, HOUR_MS))
    stuck = _iso(now_ms + STUCK_AFTER_S * 1000)
    return (
        f"furnace={STOPPED_FURNACE},kind=dosing_stop,channel=hcl,from={from_},to={to}",
        f"furnace={STUCK_FURNACE},kind=stuck,channel=co,from={stuck}",
    )


def fault_belongs(fault: str, site: Path) -> bool:
    """Whether the fault's furnace is one of the site file's."""
    furnace = fault.partition(",")[0].removeprefix("furnace=")
    return f"unit_id = {furnace}\n" in site.read_text(encoding="utf-8")


def _overlap_ms(spans: list[tuple[int, int]], start_ms: int) -> int:
    end_ms = start_ms + HOUR_MS
    return sum(max(0, min(to_ms, end_ms) - max(from_ms, start_ms)) for from_ms, to_ms in spans)


def _yesterday_ms(now_ms: int, hour: int) -> int:
    day = datetime.fromtimestamp(now_ms / 1000, LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return round((day - timedelta(days=1) + timedelta(hours=hour)).timestamp() * 1000)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, LOCAL).isoformat()
