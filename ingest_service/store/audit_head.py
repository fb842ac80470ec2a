"""The chain's end in a file beside the database: a trail that was cut off there is shorter than the file says."""

import fcntl
import os
from pathlib import Path

from ingest_service.audit.chain import Head, parse_head
from ingest_service.errors import StoreError


class HeadFile:
    """One line, NUMBER:DIGEST, that only ever rises. Several processes may write it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def raise_to(self, head: Head) -> None:
        """Note that end unless a later one is noted. Raises StoreError where the file cannot be written."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o640)
            with os.fdopen(descriptor, "r+", encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                noted = parse_head(file.read())
                if noted is None or noted.number < head.number:
                    file.seek(0)
                    file.write(f"{head}\n")
                    file.truncate()
        except OSError as error:
            raise StoreError(f"head of the audit trail {self._path}: {error.strerror}") from error

    def read(self) -> Head | None:
        """The end that is noted; None where there is none. Raises StoreError."""
        try:
            return parse_head(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"head of the audit trail {self._path} cannot be read: {error}") from error
