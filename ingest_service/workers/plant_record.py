"""What judging asks of those who know a plant's time: operators' marks, and the cremations that were found."""

from typing import Protocol

from ingest_service.emissions.marks import CycleSpan, Marks, no_cycles, no_marks
from ingest_service.store.marks import MarkedTime


class PlantRecord(Protocol):
    """Marks and cremations, as they hold now. Any method may raise StoreError."""

    def marks(self, from_ms: int, to_ms: int) -> Marks:
        """The marks that touch `[from_ms, to_ms)`; of a corrected one the correction."""

    def cycles(self, from_ms: int, to_ms: int) -> CycleSpan:
        """The finished cremations that touch `[from_ms, to_ms)`, sorted by (furnace, start)."""

    def marked_since(self, at_ms: int) -> tuple[MarkedTime, ...]:
        """The times of marks that were entered, corrected or withdrawn from that moment on."""


class NothingSaid:
    """A plant of which nobody says anything."""

    def marks(self, from_ms: int, to_ms: int) -> Marks:
        """None."""
        return no_marks()

    def cycles(self, from_ms: int, to_ms: int) -> CycleSpan:
        """None."""
        return no_cycles()

    def marked_since(self, at_ms: int) -> tuple[MarkedTime, ...]:
        """None."""
        return ()
