"""The past that the demo has written into the agents' outboxes before they start."""

import re
from pathlib import Path

import msgspec

from ingest_service.errors import ServiceError


class History(msgspec.Struct, frozen=True):
    """How far it reaches back, and how many samples it holds."""

    hours: int
    samples: int


def written_samples(log: Path) -> int:
    """How many samples `edge-agent simulate --history` says that it wrote. Raises ServiceError where it does not."""
    found = re.search(r" blocks with (\d+) samples ", log.read_text(errors="replace"))
    if found is None:
        raise ServiceError(f"{log.name} does not say how many samples were written")
    return int(found[1])
