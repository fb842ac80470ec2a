"""A site whose devices are the units of faulty lines, read as forty tags each."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_agent.config import Site, load_site
from edge_agent.modbus.connection import Connection

UNIT, GENERATION = 0, 1  # the channels that say whose value it is, and when it was asked for
GROUPS = 10
_HEAD = """
[profile]
id = "cells"
name_zh = "单元"
name_en = "Cells"
origin = "example"
source = "the cells of a faulty device: place, time of asking and check sum in four registers"
"""
_CHANNEL = '[[channel]]\nname = "{name}"\naddress = {address}\ntype = "{type}"\nreport = "always"\nscan_s = {scan_s}\n'
_SITE = '[site]\nhome = "home"\nedge = "edge"\n[broker]\nhost = "127.0.0.1"\n'
_CONNECTION = '[[connection]]\nname = "{name}"\nhost = "127.0.0.1"\nport = 1\n'
_DEVICE = (
    '[[device]]\nname = "{name}"\nfurnace = "1"\nconnection = "{line}"\nunit_id = {unit}\nprofile = "cells.toml"\n'
)


class Unit(msgspec.Struct, frozen=True):
    """One device of the site, on one of its lines."""

    name: str
    line: Connection
    unit_id: int


def cells_site(folder: Path, units: Sequence[Unit], scan_s: float) -> Site:
    """The site file is loaded as any other; then its connections are made those of the lines."""
    lines = {unit.line.name: unit.line for unit in units}
    text = _SITE + "".join(_CONNECTION.format(name=name) for name in lines)
    text += "".join(_DEVICE.format(name=unit.name, line=unit.line.name, unit=unit.unit_id) for unit in units)
    (folder / "cells.toml").write_text(_profile(scan_s), encoding="utf-8")
    (folder / "site.toml").write_text(text, encoding="utf-8")
    return msgspec.structs.replace(load_site(folder / "site.toml"), connections=tuple(lines.values()))


def _profile(scan_s: float) -> str:
    text = _HEAD
    for group in range(GROUPS):
        for offset, kind in ((0, "uint16"), (1, "uint32"), (3, "uint16")):
            address = 4 * group + offset
            text += _CHANNEL.format(name=f"r{address}", address=address, type=kind, scan_s=scan_s)
        text += _CHANNEL.format(name=f"low{group}", address=4 * group + 2, type="uint16", scan_s=scan_s)
    return text
