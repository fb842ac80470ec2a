"""`edge-agent import`: a register list (CSV or XLSX) becomes a device profile."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_agent.devices.profile import AddressBase
from edge_agent.devices.register_list import ImportedProfile, ListOptions, convert_list, read_sheet
from edge_agent.devices.register_list.cells import squeezed
from edge_agent.devices.register_list.columns import Column
from edge_agent.devices.resolve import BASES
from edge_agent.errors import ConfigError
from edge_agent.modbus.value import Order
from edge_agent.wire.topic import check_id

EXIT_REFUSED_ROWS = 1
STDOUT = "-"


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("import", help="make a device profile of a register list (CSV or XLSX)")
    parser.add_argument("list", type=Path, help="the register list: .csv, .txt or .xlsx")
    parser.add_argument("--id", required=True, help="the id of the new profile, e.g. my-plc")
    parser.add_argument("--out", metavar="FILE", help="where to write it (default ID.toml; - is stdout)")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.add_argument("--sheet", default="", metavar="NAME", help="the sheet of a workbook (default: the best one)")
    parser.add_argument(
        "--map", action="append", default=[], metavar="HEADING=KEY", help=f"what a column holds: {', '.join(Column)}"
    )
    parser.add_argument(
        "--base", type=int, choices=[int(base) for base in AddressBase], help="what addresses count from"
    )
    parser.add_argument("--order", default="ABCD", choices=list(Order), help="byte order of the device (default ABCD)")
    parser.add_argument("--type", default="", metavar="TYPE", help="the type of rows that name none, e.g. INT")
    parser.add_argument("--basis", default="", choices=("", *BASES), help="the gas state of all concentrations")


def run(args: argparse.Namespace) -> int:
    """Write the profile, say what was guessed and refused; exit code 1 where rows were refused. Raises ConfigError."""
    _check_id(args.id)
    sheet = read_sheet(args.list, _mapped(args.map), args.sheet)
    base = None if args.base is None else AddressBase(args.base)
    options = ListOptions(id=args.id, order=Order(args.order), base=base, default_type=args.type, basis=args.basis)
    imported = convert_list(sheet, options)
    if not imported.channels:
        for line in report(imported, sheet.file, len(sheet.rows)):
            print(line, file=sys.stderr)
        raise ConfigError(sheet.file, "", f"none of {len(sheet.rows)} rows can be used")
    target = args.out or f"{args.id}.toml"
    _write(imported.text, target, force=args.force)
    for line in report(imported, sheet.file, len(sheet.rows)):
        print(line, file=sys.stderr)
    print(f"edge-agent: wrote {'stdout' if target == STDOUT else target}", file=sys.stderr)
    return EXIT_REFUSED_ROWS if imported.problems else 0


def report(imported: ImportedProfile, file: str, rows: int) -> list[str]:
    """What a person should know: each refused row, each guess, notes, and the sum."""
    lines = [problem.line(file) for problem in imported.problems]
    for one in imported.channels:
        lines += [f"{file}: row {one.row}: {one.channel.name}: {doubt}" for doubt in one.doubts]
    lines += [f"{file}: {note}" for note in imported.notes]
    doubtful = sum(bool(one.doubts) for one in imported.channels)
    used = len(imported.channels)
    return [*lines, f"{file}: {used} of {rows} rows used, {len(imported.problems)} refused, {doubtful} to be looked at"]


def _check_id(profile_id: str) -> None:
    try:
        check_id(profile_id)
    except ValueError as error:
        raise ConfigError("--id", "", str(error)) from error


def _mapped(pairs: Sequence[str]) -> dict[str, Column]:
    """`HEADING=KEY` pairs by squeezed heading. Raises ConfigError."""
    mapped = {}
    for pair in pairs:
        heading, _, key = pair.rpartition("=")
        if key not in list(Column) or not heading:
            raise ConfigError("--map", "", f'"{pair}" is not HEADING=KEY', ", ".join(Column))
        mapped[squeezed(heading)] = Column(key)
    return mapped


def _write(text: str, target: str, *, force: bool) -> None:
    if target == STDOUT:
        sys.stdout.write(text)
        return
    try:
        with Path(target).open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(target, "", "exists already", "--force, or another --out") from error
    except OSError as error:
        raise ConfigError(target, "", f"cannot be written: {error.strerror}") from error
