"""What people and judges see of an edge: is it there, does its clock agree, does it lose messages."""

import msgspec


class EdgeView(msgspec.Struct, frozen=True, kw_only=True):
    """One edge node as the centre sees it.

    `last_seen_ms` is when its last message came (ms since 1970 UTC, centre's clock). `clock_offset_ms` is the least
    of arrival minus sending over its newest live messages, positive where the edge's clock is behind; None before the
    first. `best_effort` is true for an edge that numbers no blocks, so nothing can be asked for again. `conflicts`
    counts what showed that two edges go by this name.
    """

    edge_id: int
    home: str
    edge: str
    online: bool
    last_seen_ms: int
    clock_offset_ms: int | None = None
    best_effort: bool = False
    seq_gaps: int = 0
    rebirths: int = 0
    conflicts: int = 0
