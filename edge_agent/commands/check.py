"""`edge-agent check`: is this site file right? Touches no device and no broker."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from edge_agent.config import Broker, Device, Site, load_site
from edge_agent.devices.reads import plan_reads, positions_of, scan_classes
from edge_agent.modbus.connection import Connection


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("check", help="check a site file and its profiles, without touching a device")
    parser.add_argument("site", type=Path, help="the site file (TOML)")


def run(args: argparse.Namespace) -> int:
    """Print a summary; a ConfigError ends the program."""
    site = load_site(args.site)
    for line in summary(site):
        print(line)
    return 0


def summary(site: Site) -> list[str]:
    """The site in a few lines: who it is, and what each device costs."""
    lines = [f"{site.home}/{site.edge}: {len(site.devices)} devices behind {len(site.connections)} connections"]
    lines += [_device_line(device) for device in site.devices]
    channels = sum(len(device.profile.channels) for device in site.devices)
    rate = sum(requests_per_s(device) for device in site.devices)
    lines += [f"{channels} channels, {rate:.1f} requests per second", *(notes := remarks(site))]
    return [*lines, f"The site file is in order{'; mind the remarks' if notes else ''}."]


def remarks(site: Site) -> list[str]:
    """What this machine does not have though the file names it, and devices that read the same twice.

    The agent may be meant for another machine, and two profiles may share a unit: none of this is an error.
    """
    return [*_missing_files(site), *_unset_password(site), *_read_twice(site)]


def _missing_files(site: Site) -> Iterator[str]:
    places: list[tuple[str, Broker | Connection]] = [("broker", site.broker)]
    places += [(f'connection "{connection.name}"', connection) for connection in site.connections]
    for place, holder in places:
        for key in ("password_file", "ca_file", "cert_file", "key_file"):
            path = getattr(holder, key, "")
            if path and not os.access(path, os.R_OK):
                yield f"  remark: {place}.{key}: {path} is not on this machine, or may not be read"


def _unset_password(site: Site) -> Iterator[str]:
    name = site.broker.password_env
    if name and name not in os.environ:
        yield f"  remark: broker.password_env: {name} is not set in this environment"


def _read_twice(site: Site) -> Iterator[str]:
    first: dict[tuple[str, int, str], str] = {}
    for device in site.devices:
        key = (device.connection, device.unit_id, device.profile.id)
        before = first.setdefault(key, device.name)
        if before != device.name:
            yield f'  remark: device "{device.name}" reads the same unit by the same profile as device "{before}"'


def requests_per_s(device: Device) -> float:
    """Modbus requests a second while all is well; exact where each period is a multiple of the shorter ones."""
    classes = scan_classes(device.profile)
    return sum(1000 / period * _extra_reads(device, classes[: at + 1]) for at, period in enumerate(classes))


def _extra_reads(device: Device, periods_ms: tuple[int, ...]) -> int:
    """The reads that the slowest of these classes adds to those of the faster ones, which are due at the same time."""
    together = plan_reads(device.profile, positions_of(device.profile, periods_ms))
    faster = plan_reads(device.profile, positions_of(device.profile, periods_ms[:-1]))
    return len(together) - len(faster)


def _device_line(device: Device) -> str:
    profile = device.profile
    origin = profile.origin.value.replace("_", " ")
    return (
        f"  {device.name}: furnace {device.furnace}, unit {device.unit_id} on {device.connection}, "
        f"profile {profile.id} ({origin}), {len(profile.channels)} channels, {requests_per_s(device):.1f} requests/s"
    )
