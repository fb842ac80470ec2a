"""`edge-agent watch`: what the agent would read now, in a table that moves. Publishes nothing and stores nothing."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import msgspec
import structlog
from rich.console import Console
from rich.live import Live

from edge_agent.clock import SystemClock
from edge_agent.config import Device, Site, load_site
from edge_agent.counters import PollCounters
from edge_agent.deadband import ReportMode, ReportRule
from edge_agent.errors import ConfigError
from edge_agent.polled_device import DeviceState
from edge_agent.poller import ConnectionPoller, make_pollers
from edge_agent.tags import tag_devices
from edge_agent.terminal.watched import WatchedTags
from edge_agent.toml_file import suggestion
from edge_agent.wire.sample import Sample

PERIOD_S = 0.5
FILE_WIDTH = 132  # of a table that does not go to a terminal


class Showing(Enum):
    """Once, as soon as every tag was read or could not be; or until it is stopped."""

    ONCE = "once"
    ON = "on"


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("watch", help="show the tags of a site as they are read, until Ctrl-C")
    parser.add_argument("site", type=Path, help="the site file (TOML)")
    parser.add_argument(
        "--device", action="append", default=[], metavar="NAME", help="only this device; may be repeated"
    )
    parser.add_argument(
        "--once", action="store_true", help="print one table and end (so it is where there is no terminal)"
    )


def run(args: argparse.Namespace) -> int:
    """Read and show. Raises ConfigError."""
    site = always_reporting(_only(load_site(args.site), args.device, str(args.site)))
    # What a poller logs is in the table, and a line between would tear it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    is_terminal = sys.stdout.isatty()
    console = Console(width=None if is_terminal else FILE_WIDTH, highlight=False)
    showing = Showing.ON if is_terminal and not args.once else Showing.ONCE
    asyncio.run(_watch(site, console, showing))
    return 0


def always_reporting(site: Site) -> Site:
    """The site with every reading reported: a person wants to see that a value does not move."""
    rule = ReportRule(mode=ReportMode.ALWAYS)

    def reporting(device: Device) -> Device:
        channels = tuple(msgspec.structs.replace(one, report=rule) for one in device.profile.channels)
        return msgspec.structs.replace(device, profile=msgspec.structs.replace(device.profile, channels=channels))

    return msgspec.structs.replace(site, devices=tuple(reporting(device) for device in site.devices))


async def _watch(site: Site, console: Console, showing: Showing) -> None:
    tags = WatchedTags(tag_devices(site))
    heard = asyncio.Event()

    async def take(_: str, samples: list[Sample]) -> None:
        tags.note(samples)
        if tags.are_all_heard:
            heard.set()

    async def ignore(_: str, __: DeviceState) -> None:
        """The table says it."""

    pollers = make_pollers(site, take, ignore)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(poller.run(), name=poller.name) for poller in pollers]
        if showing is Showing.ON:
            await _draw(tags, pollers, console)
        await heard.wait()
        console.print(tags.table(SystemClock().wall_ms(), _counters(pollers)))
        for task in tasks:
            task.cancel()


async def _draw(tags: WatchedTags, pollers: Sequence[ConnectionPoller], console: Console) -> None:
    """Draw the table until cancelled; what the screen cannot hold is cut off below."""
    clock = SystemClock()
    with Live(console=console, auto_refresh=False, screen=True) as live:
        while True:
            live.update(tags.table(clock.wall_ms(), _counters(pollers)), refresh=True)
            await asyncio.sleep(PERIOD_S)


def _counters(pollers: Sequence[ConnectionPoller]) -> dict[str, PollCounters]:
    return {counters.device: counters for poller in pollers for counters in poller.counters}


def _only(site: Site, names: Sequence[str], file: str) -> Site:
    """The site with these devices alone; all where none is named. Raises ConfigError."""
    known = [device.name for device in site.devices]
    for name in names:
        if name not in known:
            raise ConfigError(file, "--device", f'no device "{name}"{suggestion(name, known)}', ", ".join(known))
    if not names:
        return site
    return msgspec.structs.replace(site, devices=tuple(device for device in site.devices if device.name in names))
