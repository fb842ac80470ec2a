"""`edge-agent simulate`: furnaces behind a Modbus TCP server, or yesterday's samples in an outbox."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from edge_agent.clock import SystemClock
from edge_agent.config import OutboxLimits, Site, load_site
from edge_agent.devices.files import load_profile
from edge_agent.errors import ConfigError, OutboxError
from edge_agent.outbox.file import OutboxFile
from edge_agent.simulator.faults import Fault, FaultyFurnace, parse_fault
from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.history import BLOCK_MS, Past, past_blocks, whole_steps, write_blocks
from edge_agent.simulator.read_log import ReadLog
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.simulator.server import modbus_server
from edge_agent.simulator.truth import true_cycles
from edge_agent.simulator.unit import CountedRead, SimulatedUnit, untold
from edge_agent.tags import tag_devices

PROFILE = "simulator"
MAX_FURNACES = 247  # unit ids of the Modbus application protocol
EXIT_FAILED = 1
_TRUTH_AHEAD_MS = 48 * 3_600_000
_SPANS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_MAX_PAST_MS = 60 * 86_400_000


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate. Furnace n is unit id n."""

    seed: int
    schedule: Schedule
    faults: tuple[Fault, ...]
    start_ms: int

    def model(self, furnace: int) -> FurnaceModel:
        return FurnaceModel(self.seed, furnace, self.schedule)

    def furnace(self, furnace: int) -> FaultyFurnace:
        planted = tuple(fault for fault in self.faults if fault.furnace == furnace)
        return FaultyFurnace(self.model(furnace), planted)


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("simulate", help="simulated furnaces behind a Modbus TCP server")
    parser.add_argument("--furnaces", type=int, default=1, help="how many; furnace n has unit id n (default 1)")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes a free one (default)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same furnaces (default 1)")
    parser.add_argument("--always-burning", action="store_true", help="cremations round the clock")
    parser.add_argument("--utc-offset", type=float, default=8.0, metavar="HOURS", help="local time (default 8)")
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT", help=_FAULT_HELP)
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="write what is true: cremations and phases of the past, or of the next 48 h",
    )
    parser.add_argument(
        "--read-log", type=Path, metavar="FILE", help="append every scan counter value that is read, as JSON lines"
    )
    parser.add_argument("--history", metavar="SPAN", help="write this past, as 24h, into the outbox of --site, and end")
    parser.add_argument(
        "--site", type=Path, metavar="FILE", help="the site file for --history; without it only --truth is written"
    )


_FAULT_HELP = (
    "plant a fault, e.g. furnace=3,kind=dosing_stop,channel=hcl,from=60,to=3600; times in s after the start or ISO 8601"
)


def run(args: argparse.Namespace) -> int:
    """Simulate until SIGTERM or SIGINT, or write the history and end. Raises ConfigError."""
    start_ms = SystemClock().wall_ms()
    plan = _Plan(
        seed=args.seed,
        schedule=_schedule(args.always_burning, args.utc_offset),
        faults=tuple(parse_fault(text, start_ms) for text in args.fault),
        start_ms=start_ms,
    )
    _check_within("--furnaces", args.furnaces, 1, MAX_FURNACES)
    if args.history is not None:
        span_ms = _parse_span_ms(args.history)
        if args.site is None and args.truth is not None:
            _write_truth(plan, range(1, args.furnaces + 1), args.truth, start_ms - span_ms, start_ms)
            return 0
        return _write_history(plan, span_ms, args.site, args.truth)
    _check_within("--port", args.port, 0, 65535)
    furnaces = range(1, args.furnaces + 1)
    _check_faults(plan.faults, furnaces)
    if args.truth is not None:
        _write_truth(plan, furnaces, args.truth, start_ms, start_ms + _TRUTH_AHEAD_MS)
    with _read_log(args.read_log) as counted:
        profile = load_profile(PROFILE, Path())
        units = {one: SimulatedUnit(plan.furnace(one), profile, counted(one)) for one in furnaces}
        asyncio.run(_serve(units, args.host, args.port))
    return 0


@contextmanager
def _read_log(path: Path | None) -> Iterator[Callable[[int], CountedRead]]:
    """What hears of the reads of each furnace's counter."""
    if path is None:
        yield lambda _furnace: untold
        return
    try:
        log = ReadLog(path)
    except OSError as error:
        raise ConfigError("--read-log", str(path), f"cannot be written: {error.strerror}") from error
    with log:
        yield log.of


async def _serve(units: Mapping[int, SimulatedUnit], host: str, port: int) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        async with modbus_server(units, host, port, SystemClock().wall_ms) as bound:
            print(f"listening on {host}:{bound}, furnaces 1 to {max(units)}", flush=True)
            await ended.wait()
    except OSError as error:
        raise ConfigError("--port", "", f"cannot listen on {host}:{port}: {error.strerror}") from error


def _write_history(plan: _Plan, span_ms: int, site_file: Path | None, truth: Path | None) -> int:
    if site_file is None:
        raise ConfigError("--history", "--site", "missing", "the site file whose outbox gets the past")
    site = load_site(site_file)
    from_ms, to_ms = whole_steps(plan.start_ms - span_ms, plan.start_ms)
    pasts = list(_pasts(plan, site, str(site_file)))
    furnaces = [device.unit_id for device in site.devices]
    _check_faults(plan.faults, furnaces)
    try:
        print(_fill_outbox(site.outbox, pasts, from_ms, to_ms))
    except OutboxError as error:
        print(f"edge-agent: {error}", file=sys.stderr)
        return EXIT_FAILED
    if truth is not None:
        _write_truth(plan, furnaces, truth, from_ms, to_ms)
    return 0


def _fill_outbox(limits: OutboxLimits, pasts: Sequence[Past], from_ms: int, to_ms: int) -> str:
    """Write the past; returns what was written. Raises OutboxError."""
    samples = blocks = 0
    expected = len(pasts) * -(-(to_ms - from_ms) // BLOCK_MS)
    with (
        closing(OutboxFile.open(limits, to_ms)) as file,
        Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress,
    ):
        task = progress.add_task(f"{len(pasts)} devices", total=expected)
        for block in write_blocks(file, past_blocks(pasts, from_ms, to_ms, file.last_number + 1), to_ms):
            blocks, samples = blocks + 1, samples + len(block.samples)
            progress.advance(task)
    return f"{blocks} blocks with {samples} samples in {limits.path}"


def _pasts(plan: _Plan, site: Site, file: str) -> Iterator[Past]:
    """The pasts of the site's simulated devices. Raises ConfigError where it has none."""
    timeouts = {connection.name: connection.timeout_s for connection in site.connections}
    devices = [tags for tags in tag_devices(site) if tags.device.profile.id == PROFILE]
    if not devices:
        raise ConfigError(file, "device", "none is simulated", f'devices of profile "{PROFILE}"')
    for tags in devices:
        yield Past(plan.furnace(tags.device.unit_id), tags, timeouts[tags.device.connection])


def _write_truth(plan: _Plan, furnaces: Sequence[int], path: Path, from_ms: int, to_ms: int) -> None:
    encoder = msgspec.json.Encoder()
    cycles = (cycle for furnace in furnaces for cycle in true_cycles(plan.model(furnace), furnace, from_ms, to_ms))
    try:
        path.write_bytes(encoder.encode_lines(cycles))
    except OSError as error:
        raise ConfigError("--truth", str(path), f"cannot be written: {error.strerror}") from error


def _schedule(always_burning: bool, utc_offset_h: float) -> Schedule:
    _check_within("--utc-offset", utc_offset_h, -12, 14)
    rhythm = Rhythm.ALWAYS_BURNING if always_burning else Rhythm.WORKING_DAY
    return Schedule(rhythm, round(utc_offset_h * 3600))


def _check_within(option: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ConfigError(option, "", f"{value} is out of range", f"{low} to {high}")


def _check_faults(faults: Sequence[Fault], furnaces: Sequence[int]) -> None:
    for fault in faults:
        if fault.furnace not in furnaces:
            known = ", ".join(str(furnace) for furnace in furnaces)
            raise ConfigError("--fault", "furnace", f"there is no {fault.furnace}", known)


def _parse_span_ms(text: str) -> int:
    """`90m`, `24h` or `2d` in ms. Raises ConfigError."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _SPANS_MS or not 0 < int(number) * _SPANS_MS[unit] <= _MAX_PAST_MS:
        raise ConfigError("--history", "", f"{text!r} is no span", "90m, 24h, 2d; at most 60d")
    return int(number) * _SPANS_MS[unit]
