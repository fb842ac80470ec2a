"""What one kind of server must be able to do; the rest is the same for all of them (`remote.store`)."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from ingest_service.store.batch import MeanBatch, SampleBatch
from ingest_service.store.remote.writing import Refusal
from ingest_service.store.tally import HourTally

Wait = Callable[[float], object]  # pauses for seconds, or less when the store is closed


class ServerSize(msgspec.Struct, frozen=True):
    """What a server says of itself; None where it does not say."""

    rows: int | None = None
    disk_bytes: int | None = None
    free_bytes: int | None = None


class Engine(Protocol):
    """One server. Every method raises StoreError when it cannot be done now.

    `hold_s` is how long what was written may still be lost with the server; `settles_s` how long it may take until it
    is read (both s, 0 for none).
    """

    kind: str
    address: str
    hold_s: float
    settles_s: float

    def write_samples(self, batch: SampleBatch, wait: Wait) -> list[Refusal]:
        """Write them; the same again changes nothing. Returns what the server refuses for good."""

    def write_means(self, period_ms: int, means: MeanBatch, wait: Wait) -> None:
        """Put these in the place of what there is for the same series and period."""

    def samples(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """The samples with `from_ms <= time < to_ms`, in any order."""

    def tally(self, series: Sequence[int], from_ms: int, to_ms: int) -> HourTally:
        """How many samples lie in the whole hours of `[from_ms, to_ms)`, sorted by series and hour."""

    def means(self, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """The means that start in `[from_ms, to_ms)`, sorted by series and start."""

    def newest(self, since_ms: int) -> SampleBatch:
        """The newest sample of every series that has one not older than that."""

    def run(self) -> str:
        """Which run of the server this is: another text after it was started anew."""

    def size(self) -> ServerSize:
        """How much it holds."""

    def close(self) -> None:
        """Let go of its connections."""
