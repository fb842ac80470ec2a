"""Every edge that the centre knows. One thread changes it; any may ask for views."""

from collections.abc import Iterable, Iterator

from ingest_service.intake.edge_view import EdgeView
from ingest_service.intake.session import REORDER_TIMEOUT_MS, EdgeSession


class Fleet:
    """Sessions by home and edge; an edge that was known before the start is offline until it is born again."""

    def __init__(self, known: Iterable[EdgeView] = (), reorder_timeout_ms: int = REORDER_TIMEOUT_MS) -> None:
        self._reorder_timeout_ms = reorder_timeout_ms
        self._sessions: dict[tuple[str, str], EdgeSession] = {}
        for view in known:
            session = self.session(view.home, view.edge)
            session.edge_id, session.last_seen_ms = view.edge_id, view.last_seen_ms

    def find(self, home: str, edge: str) -> EdgeSession | None:
        """The session of that edge; None for one that was never born."""
        return self._sessions.get((home, edge))

    def session(self, home: str, edge: str) -> EdgeSession:
        """The session of that edge, made with its first birth."""
        found = self._sessions.get((home, edge))
        if found is None:
            found = EdgeSession(home, edge, reorder_timeout_ms=self._reorder_timeout_ms)
            self._sessions[home, edge] = found
        return found

    def __iter__(self) -> Iterator[EdgeSession]:
        return iter(list(self._sessions.values()))

    def views(self) -> list[EdgeView]:
        """The edges that are registered."""
        return [session.view() for session in self if session.edge_id]
