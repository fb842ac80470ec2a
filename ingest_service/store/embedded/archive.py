"""The sealed files: `sealed/YYYY/MM/DD/HH.parquet`, one an hour (UTC), sorted by series and time.

A later version of an hour (`HH-2.parquet`) holds all that the earlier one held, so the highest version is the one that
counts, whatever happened in between.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge_agent.wire.durations import HOUR_MS

_NAME = re.compile(r"(\d{4})/(\d\d)/(\d\d)/(\d\d)(?:-(\d+))?\.parquet")
_UNFINISHED = ".unfinished"


class SealedFile(msgspec.Struct, frozen=True):
    """One version of an hour. `file` is relative to the folder of sealed files, `hour` counts hours since 1970 UTC."""

    hour: int
    version: int
    file: str


class Archive:
    """The folder of sealed files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for torn in folder.rglob(f"*{_UNFINISHED}"):
            torn.unlink()

    def path(self, file: str) -> Path:
        """Where a file lies."""
        return self._folder / file

    def next_version(self, hour: int, present: str | None) -> SealedFile:
        """The file that replaces `present` as the sealed form of an hour."""
        version = parse(present).version + 1 if present else 1
        at = datetime.fromtimestamp(hour * HOUR_MS / 1000, UTC)
        suffix = f"-{version}" if version > 1 else ""
        return SealedFile(hour, version, f"{at:%Y/%m/%d/%H}{suffix}.parquet")

    def unfinished(self, sealed: SealedFile) -> Path:
        """Where to write it before `finish`."""
        path = self.path(sealed.file + _UNFINISHED)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def finish(self, sealed: SealedFile) -> None:
        """Make what was written durable under its name, all or nothing."""
        unfinished, path = self.unfinished(sealed), self.path(sealed.file)
        _sync(unfinished)
        unfinished.replace(path)
        for folder in (path.parent, *path.parent.parents):
            _sync(folder)
            if folder == self._folder:
                break

    def newest(self) -> dict[int, SealedFile]:
        """The highest version of each hour that lies in the folder."""
        found: dict[int, SealedFile] = {}
        for sealed in self._all():
            if sealed.hour not in found or found[sealed.hour].version < sealed.version:
                found[sealed.hour] = sealed
        return found

    def remove_superseded(self, listed: set[str]) -> None:
        """Delete every version of an hour but the highest, and none that is listed."""
        newest = self.newest()
        for sealed in list(self._all()):
            if newest[sealed.hour] != sealed and sealed.file not in listed:
                self.path(sealed.file).unlink(missing_ok=True)

    def _all(self) -> Iterator[SealedFile]:
        for path in sorted(self._folder.rglob("*.parquet")):
            file = path.relative_to(self._folder).as_posix()
            if _NAME.fullmatch(file):
                yield parse(file)


def parse(file: str) -> SealedFile:
    """Hour and version of a file by its name. Raises ValueError for another name."""
    match = _NAME.fullmatch(file)
    if match is None:
        raise ValueError(f"{file!r} is no name of a sealed hour")
    year, month, day, hour, version = match.groups(default="1")
    at = datetime(int(year), int(month), int(day), int(hour), tzinfo=UTC)
    return SealedFile(int(at.timestamp()) * 1000 // HOUR_MS, int(version), file)


def sha256(path: Path) -> str:
    """The hash of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
