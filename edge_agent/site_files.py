"""The site file and the profiles beside it: what has changed since the last look."""

import hashlib
import tomllib
from contextlib import suppress
from pathlib import Path

import msgspec

from edge_agent.devices.files import SUFFIX


class _Mark(msgspec.Struct, frozen=True):
    """A file at one look: what the directory says of it, and its content."""

    inode: int
    size: int
    modified_ns: int
    digest: bytes

    def fits(self, inode: int, size: int, modified_ns: int) -> bool:
        """True where the directory says what it said then."""
        return (self.inode, self.size, self.modified_ns) == (inode, size, modified_ns)


class _NamedProfile(msgspec.Struct, frozen=True):
    profile: str = ""


class _Naming(msgspec.Struct, frozen=True):
    """As much of a site file as names other files."""

    device: list[_NamedProfile] = []


class SiteFiles:
    """Remembers how the site file and the profiles that it names by path looked last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks: dict[Path, _Mark | None] = {}
        self.look()

    def look(self) -> bool:
        """True when a file's content is another than at the last look; only files with new dates or sizes are read."""
        known = self._marks
        found = {path: _mark(path, known.get(path)) for path in known.keys() | {self._path}}
        changed = _digests(found) != _digests(known)
        if changed:
            found = {path: found.get(path) or _mark(path, None) for path in _named_files(self._path)}
        self._marks = found
        return changed


def _digests(marks: dict[Path, _Mark | None]) -> dict[Path, bytes | None]:
    return {path: mark.digest if mark else None for path, mark in marks.items()}


def _mark(path: Path, known: _Mark | None) -> _Mark | None:
    """The file as it is; None where it cannot be read."""
    with suppress(OSError):
        found = path.stat()
        if known is not None and known.fits(found.st_ino, found.st_size, found.st_mtime_ns):
            return known
        digest = hashlib.blake2b(path.read_bytes()).digest()
        return _Mark(found.st_ino, found.st_size, found.st_mtime_ns, digest)
    return None


def _named_files(path: Path) -> list[Path]:
    """The site file and the profiles that it names by path; the site file alone where it makes no sense."""
    with suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError):
        named = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), _Naming)
        names = sorted({device.profile for device in named.device if device.profile.endswith(SUFFIX)})
        return [path, *(path.resolve().parent / name for name in names)]
    return [path]
