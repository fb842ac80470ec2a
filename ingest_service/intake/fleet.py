"""Every edge that the centre knows. One thread changes it; any may ask for views."""

from collections.abc import Iterable, Iterator

from ingest_service.intake.edge_view import EdgeView
from ingest_service.intake.session import EdgeSession


class Fleet:
    """Sessions by home and edge; an edge that was known before the start is offline until it is born again."""

    def __init__(self, known: Iterable[EdgeView] = ()) -> None:
        self._sessions: dict[tuple[str, str], EdgeSession] = {}
        for view in known:
            session = EdgeSession(view.home, view.edge, edge_id=view.edge_id, last_seen_ms=view.last_seen_ms)
            self._sessions[view.home, view.edge] = session

    def find(self, home: str, edge: str) -> EdgeSession | None:
        """The session of that edge; None for one that was never born."""
        return self._sessions.get((home, edge))

    def session(self, home: str, edge: str) -> EdgeSession:
        """The session of that edge, made with its first birth."""
        found = self._sessions.get((home, edge))
        if found is None:
            found = self._sessions[home, edge] = EdgeSession(home, edge)
        return found

    def __iter__(self) -> Iterator[EdgeSession]:
        return iter(list(self._sessions.values()))

    def views(self) -> list[EdgeView]:
        """The edges that are registered."""
        return [session.view() for session in self if session.edge_id]
