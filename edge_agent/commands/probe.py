"""`edge-agent probe`: who is on this line, what can be read, and in which byte order. Sends nothing but reads."""

import argparse
import asyncio
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from edge_agent.connection_table import ConnectionTable, resolve_connections
from edge_agent.errors import ConfigError, DeviceError
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection, Parity, StopBits, Transport
from edge_agent.modbus.search import Scope, Span
from edge_agent.modbus.survey import Presence, find_units, survey_table
from edge_agent.modbus.value import Table
from edge_agent.terminal.surveyed import UnitSurvey, heading, register_list, survey_lines, unit_survey, value_table

EXIT_NOTHING_FOUND = 1
LAST_ADDRESS = 65535
MAX_PARALLEL = 32
# Servers that refuse every unit they do not have would otherwise be looked into 247 times.
MAX_REFUSING = 3
FILE_WIDTH = 132  # of tables that do not go to a terminal
_REFUSALS_HELP = "refused reads after which the rest of a table is given up (default 520, enough for 256 addresses)"
_HOST = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")
_SPAN = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


class _Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at, and how."""

    connection: Connection
    unit_ids: tuple[int, ...]
    tables: tuple[Table, ...]
    scope: Scope
    parallel: int


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("probe", help="find units, readable registers and the byte order; only reads")
    parser.add_argument("host", nargs="?", metavar="HOST[:PORT]", help="a device or gateway in the network")
    parser.add_argument("--serial", metavar="DEVICE", help="a serial line instead, as /dev/ttyUSB0")
    parser.add_argument("--baud", type=int, help="of the serial line (default 9600)")
    parser.add_argument("--parity", choices=list(Parity), help="of the serial line (default none)")
    parser.add_argument("--stop-bits", type=int, choices=[1, 2], help="of the serial line (default 1)")
    networks = [transport.value for transport in Transport if transport is not Transport.RTU]
    parser.add_argument("--transport", default="tcp", choices=networks, help="how frames travel (default tcp)")
    parser.add_argument("--units", default="1-10", metavar="LIST", help="unit ids, as 1-10,17 (default 1-10)")
    parser.add_argument("--range", default="0-255", metavar="FIRST-LAST", help="addresses from 0 (default 0-255)")
    parser.add_argument("--tables", default=",".join(Table), metavar="LIST", help="tables (default all four)")
    parser.add_argument("--most", type=int, default=125, metavar="N", help="registers a read (default 125)")
    parser.add_argument("--refusals", type=int, default=520, metavar="N", help=_REFUSALS_HELP)
    parser.add_argument("--timeout", type=float, default=1.0, metavar="S", help="for each answer (default 1 s)")
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="connections that look for units at once")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a register list that import reads")


def run(args: argparse.Namespace) -> int:
    """Print what was found; exit code 1 where nobody answers or nothing can be read. Raises ConfigError."""
    probe = _probe(args)
    out = Console(width=None if sys.stdout.isatty() else FILE_WIDTH, highlight=False)
    try:
        surveys = asyncio.run(_survey(probe, out))
    except DeviceError as error:
        print(f"edge-agent: {error.detail}", file=sys.stderr)
        return EXIT_NOTHING_FOUND
    readable = [survey for survey in surveys if survey.is_readable]
    for survey in surveys:
        _show(survey, out)
    if args.csv is not None and readable:
        _write_lists(readable, args.csv, out)
    return 0 if readable else EXIT_NOTHING_FOUND


async def _survey(probe: _Probe, out: Console) -> list[UnitSurvey]:
    """Look for units, then into each. Raises DeviceError where the line cannot be opened."""
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        finding = progress.add_task("looking for units", total=len(probe.unit_ids))
        found = await find_units(probe.connection, probe.unit_ids, probe.parallel, lambda: progress.advance(finding))
        chosen = list(_chosen(found))
        for text in _found_lines(found, chosen):
            out.print(text)
        reading = progress.add_task("reading tables", total=len(chosen) * len(probe.tables))
        surveys = []
        line = Line(probe.connection)
        try:
            for unit_id in chosen:
                tables = []
                for table in probe.tables:
                    tables.append(await survey_table(line, unit_id, table, probe.scope))
                    progress.advance(reading)
                surveys.append(unit_survey(unit_id, tables))
        finally:
            line.close()
    return surveys


def _chosen(found: dict[int, Presence]) -> Iterable[int]:
    """The units to look into: those that give data, and those that only refuse where they are few."""
    refusing = [unit_id for unit_id, presence in found.items() if presence is Presence.REFUSING]
    for unit_id, presence in found.items():
        if presence is Presence.READABLE or (unit_id in refusing and len(refusing) <= MAX_REFUSING):
            yield unit_id


def _found_lines(found: dict[int, Presence], chosen: Sequence[int]) -> Iterable[str]:
    answering = [unit_id for unit_id, presence in found.items() if presence is not Presence.ABSENT]
    if not answering:
        yield f"None of {len(found)} unit ids answers."
        return
    yield f"Units that answer: {_spans(answering)} (of {len(found)} asked)"
    if left := [unit_id for unit_id in answering if unit_id not in chosen]:
        yield f"Only refuse, not looked into: {_spans(left)} (--units {left[0]} looks into one)"


def _show(survey: UnitSurvey, out: Console) -> None:
    out.print(f"\n[bold]Unit {survey.unit_id}[/]")
    for line in survey_lines(survey):
        out.print(f"  {line}", markup=False)
    for one in survey.tables:
        if one.survey.pieces:
            out.print(f"\n{heading(one)}", markup=False)
            out.print(value_table(one))


def _write_lists(surveys: Sequence[UnitSurvey], path: Path, out: Console) -> None:
    """One list a unit; the file's name says which unit where there are several. Raises ConfigError."""
    for survey in surveys:
        name = path.name if len(surveys) == 1 else f"{path.stem}-unit{survey.unit_id}{path.suffix}"
        try:
            path.with_name(name).write_text(register_list(survey), encoding="utf-8")
        except OSError as error:
            raise ConfigError(str(path.with_name(name)), "", f"cannot be written: {error.strerror}") from error
        out.print(f"Wrote {path.with_name(name)}", markup=False, soft_wrap=True)


def _probe(args: argparse.Namespace) -> _Probe:
    connection = _connection(args)
    units = tuple(
        unit_id for first, last in _span_list("--units", args.units, 255) for unit_id in range(first, last + 1)
    )
    for unit_id in units:
        if unit_id not in connection.transport.unit_ids:
            ids = connection.transport.unit_ids
            raise ConfigError(
                "--units", "", f"{unit_id} cannot answer over {connection.transport}", f"{ids[0]} to {ids[-1]}"
            )
    spans = _span_list("--range", args.range, LAST_ADDRESS)
    if len(spans) != 1:
        raise ConfigError("--range", "", f'"{args.range}" is not one range', "FIRST-LAST")
    _check_within("--most", args.most, 1, 125)
    _check_within("--refusals", args.refusals, 1, 100_000)
    _check_within("--parallel", args.parallel, 1, MAX_PARALLEL if connection.serial is None else 1)
    first, last = spans[0]
    scope = Scope(
        span=Span(first, last - first + 1),
        max_registers=args.most,
        max_bits=min(2000, args.most * 16),
        max_refusals=args.refusals,
    )
    return _Probe(
        connection=connection, unit_ids=units, tables=_tables(args.tables), scope=scope, parallel=args.parallel
    )


def _connection(args: argparse.Namespace) -> Connection:
    """The connection of the arguments, checked as that of a site file is. Raises ConfigError."""
    if (args.host is None) == (args.serial is None):
        raise ConfigError("probe", "", "where to?", "HOST[:PORT] or --serial DEVICE")
    host, port = _host(args.host) if args.host is not None else (None, None)
    table = ConnectionTable(
        name="probe",
        transport=Transport(args.transport) if args.serial is None else Transport.RTU,
        host=host,
        port=port,
        serial_port=args.serial,
        baud=args.baud,
        parity=None if args.parity is None else Parity(args.parity),
        stop_bits=None if args.stop_bits is None else StopBits(args.stop_bits),
        timeout_s=args.timeout,
    )
    return resolve_connections([table], Path.cwd(), "arguments")[0]


def _host(text: str) -> tuple[str, int | None]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise ConfigError("probe", "", f'"{text}" is no host', "HOST, HOST:PORT or [IPv6]:PORT")
    return found["v6"] or found["host"], None if found["port"] is None else int(found["port"])


def _span_list(option: str, text: str, most: int) -> list[tuple[int, int]]:
    spans = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not 0 <= first <= last <= most:
            raise ConfigError(option, "", f'"{part}" is no range', f"N or FIRST-LAST, 0 to {most}")
        spans.append((first, last))
    return spans


def _tables(text: str) -> tuple[Table, ...]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in list(Table):
            raise ConfigError("--tables", "", f'unknown table "{name}"', ", ".join(Table))
    return tuple(table for table in Table if table in names)


def _check_within(option: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise ConfigError(option, "", f"{number} is out of range", f"{least} to {most}")


def _spans(unit_ids: Sequence[int]) -> str:
    """Unit ids in order, runs of them in short: 1, 3 to 7."""
    runs: list[list[int]] = []
    for unit_id in unit_ids:
        if runs and unit_id == runs[-1][-1] + 1:
            runs[-1].append(unit_id)
        else:
            runs.append([unit_id])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
