from collections.abc import Sequence

import numpy as np

from ingest_service.store.batch import BlockRef, DirtyMinutes, MeanBatch, SampleBatch

HOUR_MS = 3_600_000
START_MS = 1_764_000_000_000 // HOUR_MS * HOUR_MS
EPOCH = 2**64 - 5  # as random as an outbox makes it, and no int64

Row = tuple[int, int, float]  # series, ms after START_MS, value


def samples(rows: Sequence[Row], blocks: tuple[BlockRef, ...] = ()) -> SampleBatch:
    series, after_ms, value = zip(*rows, strict=True) if rows else ((), (), ())
    return SampleBatch(
        np.array(series, np.int32),
        np.array(after_ms, np.int64) + START_MS,
        np.array(value, np.float64),
        np.zeros(len(rows), np.uint8),
        blocks,
    )


def one_block(block: int, rows: Sequence[Row], *, source: int = 1, edge_id: int = 1, epoch: int = EPOCH) -> SampleBatch:
    return many_blocks([(block, rows)], source=source, edge_id=edge_id, epoch=epoch)


def many_blocks(
    blocks: Sequence[tuple[int, Sequence[Row]]], *, source: int = 1, edge_id: int = 1, epoch: int = EPOCH
) -> SampleBatch:
    refs: list[BlockRef] = []
    everything: list[Row] = []
    for block, rows in blocks:
        times = [START_MS + row[1] for row in rows] or [0]
        start, stop = len(everything), len(everything) + len(rows)
        refs.append(BlockRef(source, edge_id, epoch, block, start, stop, min(times), max(times)))
        everything.extend(rows)
    return samples(everything, tuple(refs))


def rows_of(batch: SampleBatch) -> list[Row]:
    return [
        (int(series), int(at_ms) - START_MS, float(value))
        for series, at_ms, value in zip(batch.series, batch.measured_at_ms, batch.value, strict=True)
    ]


def marks_of(marks: DirtyMinutes) -> list[tuple[int, int]]:
    """Source and minute after START_MS."""
    return [(int(s), int(m) - START_MS // 60_000) for s, m in zip(marks.source, marks.minute, strict=True)]


def means(rows: Sequence[Row]) -> MeanBatch:
    series, after_ms, value = zip(*rows, strict=True) if rows else ((), (), ())
    mean = np.array(value, np.float64)
    return MeanBatch(
        np.array(series, np.int32),
        np.array(after_ms, np.int64) + START_MS,
        mean,
        mean - 1,
        mean + 1,
        np.where(np.isnan(mean), 0.0, 0.5).astype(np.float32),
    )


def means_of(batch: MeanBatch) -> list[Row]:
    return [
        (int(series), int(start_ms) - START_MS, float(mean))
        for series, start_ms, mean in zip(batch.series, batch.start_ms, batch.mean, strict=True)
    ]
