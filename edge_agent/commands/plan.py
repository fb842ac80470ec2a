"""`edge-agent plan`: the reads that serve each device, and what they save over one read per tag."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from edge_agent.config import Device, load_site
from edge_agent.devices.reads import PlannedRead, plan_reads, positions_of, scan_classes


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("plan", help="show which blocks are read, and what that saves")
    parser.add_argument("site", type=Path, help="the site file (TOML)")


def run(args: argparse.Namespace) -> int:
    """Print the plan of every device; a ConfigError ends the program."""
    for device in load_site(args.site).devices:
        for line in plan_lines(device):
            print(line)
    return 0


def plan_lines(device: Device) -> Iterable[str]:
    """The plan of one device, scan class by scan class; classes due at once are read together."""
    profile = device.profile
    yield f"{device.name} (unit {device.unit_id} on {device.connection}, profile {profile.id})"
    for period_ms in scan_classes(profile):
        positions = positions_of(profile, (period_ms,))
        reads = plan_reads(profile, positions)
        yield f"  every {period_ms / 1000:g} s: {len(reads)} reads for {len(positions)} tags"
        yield from (_read_line(device, read) for read in reads)
    positions = positions_of(profile, scan_classes(profile))
    reads = plan_reads(profile, positions)
    share = 100 * (1 - len(reads) / len(positions))
    yield f"  all at once: {len(reads)} reads instead of {len(positions)}, {share:.0f} % saved"


def _read_line(device: Device, read: PlannedRead) -> str:
    block = read.block
    unit = "bits" if block.table.holds_bits else "registers"
    names = [device.profile.channels[position].name for position in read.positions]
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    last = block.first + block.count - 1
    return f"    {block.table.value:8} {block.first:5} to {last:5}  {block.count:4} {unit:9}  {shown}"
