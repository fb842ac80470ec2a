"""What a power cut may leave of an outbox file (SQLite, write-ahead log, synchronous=FULL).

What is guaranteed. With FULL every COMMIT returns only after the log was synced (fdatasync) behind its last frame, and
transactions follow one another: the frames of commit n are written after the sync of commit n-1 returned. When the
process dies the log therefore holds, in this order: frames up to commit n-1, which are on the disk for certain; the
frames of commit n, of which nobody outside can tell whether their sync had returned, unless something was said that is
only said afterwards (the agent publishes a block when its commit has returned); and perhaps frames of a transaction
that was being written. A power cut may leave any beginning of what was not synced, and rubbish behind it.

So the log is cut at a random point between the last certain sync and its end, and sometimes rubbish is added. Commit n
counts as certain as soon as a block of it was heard at the broker, or when it holds a bdSeq, which is used only when it
is on the disk; a deletion that is undone only repeats work. The main file needs no cut: it is written at checkpoints,
from commits that were synced before.
"""

import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import msgspec

_HEADER, _FRAME_HEADER = 32, 24
_LONGEST_RUBBISH = 20_000


class Cut(msgspec.Struct, frozen=True):
    """What was done to the log: bytes before, bytes kept of them, rubbish behind them, commits undone."""

    size: int
    kept: int
    rubbish: int
    undone: int


class Written(msgspec.Struct, frozen=True):
    """What an outbox file knows of itself: its epoch, the number of its last block, and the bdSeq used last."""

    epoch: int
    last_number: int
    bd_seq: int


def cut_power(outbox: Path, is_known: Callable[[int, int], bool], chance: Random) -> Cut:
    """Leave the file of a dead agent as a power cut might. `is_known(epoch, block)`: was that block heard of."""
    log = outbox.with_name(outbox.name + "-wal")
    if not log.exists() or log.stat().st_size <= _HEADER:
        return Cut(0, 0, 0, 0)
    size, ends = log.stat().st_size, commit_ends(log)
    certain = ends[-1]
    if len(ends) > 1 and not _was_told(outbox, ends[-2], ends[-1], is_known):
        certain = ends[-2]
    kept = chance.choice((ends[-1], *(chance.randint(certain, ends[-1]) for _ in range(3))))
    rubbish = chance.choice((0, 0, chance.randint(1, _LONGEST_RUBBISH)))
    with log.open("r+b") as file:
        file.truncate(kept)
        file.seek(kept)
        file.write(chance.choice((bytes, chance.randbytes))(rubbish))
    outbox.with_name(outbox.name + "-shm").unlink(missing_ok=True)
    return Cut(size, kept, rubbish, int(kept < ends[-1]))


def commit_ends(log: Path) -> list[int]:
    """Where each commit of the log ends, the header first; frames of an earlier round of the log do not count."""
    data = log.read_bytes()
    page_size = int.from_bytes(data[8:12], "big")
    salts, ends = data[16:24], [_HEADER]
    order = ">" if data[3] & 1 else "<"
    running = _checksum(order, data[:24], (0, 0))
    for at in range(_HEADER, len(data) - _FRAME_HEADER - page_size + 1, _FRAME_HEADER + page_size):
        frame = data[at : at + _FRAME_HEADER]
        body = data[at + _FRAME_HEADER : at + _FRAME_HEADER + page_size]
        running = _checksum(order, frame[:8] + body, running)
        if frame[8:16] != salts or struct.unpack(">II", frame[16:24]) != running:
            break
        if frame[4:8] != b"\0\0\0\0":
            ends.append(at + _FRAME_HEADER + page_size)
    return ends


def written(outbox: Path, log_bytes: int) -> Written:
    """What the file would say of itself if its log ended there."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "outbox"
        shutil.copyfile(outbox, copy)
        log = outbox.with_name(outbox.name + "-wal")
        copy.with_name("outbox-wal").write_bytes(log.read_bytes()[:log_bytes])
        with closing(sqlite3.connect(copy)) as database:
            found = dict(database.execute("SELECT name, value FROM meta").fetchall())
    return Written(found["epoch"], found["last_number"], found["bd_seq"])


def _was_told(outbox: Path, before: int, after: int, is_known: Callable[[int, int], bool]) -> bool:
    try:
        first, last = written(outbox, before), written(outbox, after)
    except sqlite3.Error:  # the first commit made the tables: keep it
        return True
    if (first.epoch, first.bd_seq) != (last.epoch, last.bd_seq):
        return True
    return any(is_known(last.epoch, number) for number in range(first.last_number + 1, last.last_number + 1))


def _checksum(order: str, data: bytes, start: tuple[int, int]) -> tuple[int, int]:
    """The running checksum of the log's format (SQLite file format, section 4.2)."""
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
