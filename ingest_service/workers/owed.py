"""Edges that are owed an answer: nothing was acknowledged to them while there were two copies of their outbox."""

from collections.abc import Callable, Sequence

from edge_agent.wire.command import Acknowledgement, BlockRange
from ingest_service.intake.session import EdgeSession
from ingest_service.intake.speaking import DueAcknowledgement

_MOST_RANGES = 1_000  # the newest: what an edge still has of older ones comes again by itself


class OwedAcknowledgements:
    """`held(edge_id, epoch)` tells which blocks of an outbox are safe. Of one thread."""

    def __init__(self, held: Callable[[int, int], Sequence[BlockRange]]) -> None:
        self._held = held
        self._withheld: dict[tuple[str, str], EdgeSession] = {}

    def withhold(self, session: EdgeSession) -> None:
        """Something was not acknowledged to that edge."""
        self._withheld[session.home, session.edge] = session

    def due(self, now_ms: int) -> list[DueAcknowledgement]:
        """All that is held of outboxes that are contested no longer, so that nothing waits to be sent again."""
        over = [name for name, one in self._withheld.items() if one.identity.may_acknowledge(now_ms)]
        found = [self._all_of(self._withheld[name]) for name in over]
        for name in over:
            del self._withheld[name]
        return [due for due in found if due.acknowledgement.ranges]

    def _all_of(self, session: EdgeSession) -> DueAcknowledgement:
        epoch = session.epoch or 0
        ranges = tuple(self._held(session.edge_id, epoch)[-_MOST_RANGES:])
        return DueAcknowledgement(session.home, session.edge, Acknowledgement(epoch, ranges))
