"""`edge-agent check`: is this site file right? Touches no device and no broker."""

import argparse
from pathlib import Path

from edge_agent.config import Device, Site, load_site
from edge_agent.devices.reads import plan_reads, positions_of, scan_classes


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
    return [*lines, f"{channels} channels, {rate:.1f} requests per second", "The site file is in order."]


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
