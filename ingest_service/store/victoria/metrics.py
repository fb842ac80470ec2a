"""What a VictoriaMetrics process says of itself in `/metrics`: flags, size, the moment of its start. Pure."""

import re

import msgspec

_FLAG = re.compile(r'^flag\{name="([^"]+)",\s*value="((?:[^"\\]|\\.)*)"', re.MULTILINE)
_FIGURE = re.compile(r"^(\w+)(\{[^}]*\})? ([0-9.eE+-]+)$", re.MULTILINE)
_INDEX = 'type="indexdb"'


class Process(msgspec.Struct, frozen=True):
    """One process. Rows and bytes are None where it holds no samples, as vminsert and vmselect."""

    started: str
    flags: dict[str, str]
    rows: int | None
    disk_bytes: int | None
    free_bytes: int | None


def read_process(body: bytes) -> Process:
    """From the text of `/metrics`."""
    text = body.decode(errors="replace")
    sums: dict[str, float] = {}
    started = ""
    for name, labels, figure in _FIGURE.findall(text):
        if name == "process_start_time_seconds":
            started = figure
        elif not (name == "vm_rows" and _INDEX in labels):
            sums[name] = sums.get(name, 0.0) + float(figure)
    return Process(
        started=started,
        flags=dict(_FLAG.findall(text)),
        rows=_whole(sums.get("vm_rows")),
        disk_bytes=_whole(sums.get("vm_data_size_bytes")),
        free_bytes=_whole(sums.get("vm_free_disk_space_bytes")),
    )


def _whole(figure: float | None) -> int | None:
    return None if figure is None else int(figure)
