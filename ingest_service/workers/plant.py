"""What is known of the plants' time: the cremations that were found, and the marks that operators made."""

import msgspec

from ingest_service.emissions.marks import CycleSpan, Marks
from ingest_service.store.cycles import CycleStore
from ingest_service.store.marks import MarkedTime, MarkStore


class StoredPlant(msgspec.Struct, frozen=True):
    """A PlantRecord from the stores."""

    cycle_store: CycleStore
    mark_store: MarkStore

    def marks(self, from_ms: int, to_ms: int) -> Marks:
        """The marks that hold and touch `[from_ms, to_ms)`."""
        return self.mark_store.standing(from_ms, to_ms)

    def cycles(self, from_ms: int, to_ms: int) -> CycleSpan:
        """The finished cremations that touch `[from_ms, to_ms)`, sorted by (furnace, start)."""
        return self.cycle_store.spans(from_ms, to_ms)

    def marked_since(self, at_ms: int) -> tuple[MarkedTime, ...]:
        """The times of marks that were entered, corrected or withdrawn from that moment on."""
        return self.mark_store.entered_since(at_ms)
