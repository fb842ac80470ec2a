"""What was admitted, as batches for the store and for what is shown."""

import msgspec
import numpy as np

from ingest_service.intake.admission import Admission
from ingest_service.intake.gathering import Gathering, Purpose
from ingest_service.store.batch import BlockRef, SampleBatch


def columns_of(admission: Admission, blocks: tuple[BlockRef, ...] = ()) -> SampleBatch:
    """The admitted samples as columns."""
    found = admission.samples
    return SampleBatch(found.series, found.measured_at_ms, found.value, found.reason, blocks)


def batch_of(gathering: Gathering, admission: Admission, now_ms: int) -> SampleBatch:
    """The admitted samples with one block a message, received now."""
    first_ms, last_ms = (span.tolist() for span in admission.span_ms())
    bounds = admission.bounds.tolist()
    blocks = tuple(
        BlockRef(
            origin.source_id,
            origin.session.edge_id,
            origin.epoch,
            origin.block,
            bounds[at],
            bounds[at + 1],
            first_ms[at],
            last_ms[at],
        )
        for at, origin in enumerate(gathering.origins)
    )
    return msgspec.structs.replace(columns_of(admission, blocks), received_ms=now_ms)


def live_part(batch: SampleBatch, gathering: Gathering, admission: Admission) -> SampleBatch:
    """Without what edges sent of the past: that does not change what is shown."""
    live = np.array([origin.purpose is Purpose.LIVE for origin in gathering.origins], np.bool_)
    if live.all():
        return batch
    rows = np.repeat(live, np.diff(admission.bounds))
    return SampleBatch(batch.series[rows], batch.measured_at_ms[rows], batch.value[rows], batch.reason[rows])
