"""Writes numbered blocks for ever, seals and orders now and then; says which block is durable. Made to be killed."""

import sys
from pathlib import Path

from ingest_service.store.embedded import EmbeddedStore, ordering
from tests.ingest_service.store.batches import HOUR_MS, START_MS, Row, many_blocks

BLOCK_ROWS = 20
BLOCK_SPAN_MS = 20 * 60_000  # three blocks an hour, so that there is always something to seal
RESENT = 3  # an edge sends again what it has not seen acknowledged


def block_rows(block: int) -> list[Row]:
    """Neighbouring blocks overlap in time, so that late data of sealed hours is among them."""
    start_ms = block * BLOCK_SPAN_MS - (HOUR_MS if block % 4 == 3 else 0)
    return [(1 + row % 2, start_ms + row * 60_000 + block % 7, float(block)) for row in range(BLOCK_ROWS)]


def main(folder: Path, first: int) -> None:
    ordering.LEAST_ROWS = 1
    store = EmbeddedStore(folder)
    for block in range(first, first + 100_000):
        resent = range(max(1, block - RESENT), block + 1)
        store.write(many_blocks([(one, block_rows(one)) for one in resent]))
        sys.stdout.write(f"{block}\n")
        sys.stdout.flush()
        if block % 3 == 0:
            store.seal(START_MS + block * BLOCK_SPAN_MS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
