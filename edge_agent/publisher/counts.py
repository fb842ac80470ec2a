"""What a publisher has done so far."""

import msgspec


class PublisherCounters(msgspec.Struct):
    """Counts since the start. `samples_published` counts every sending, `blocks_resent` those as history.

    `clock_behind_ms` is how far our clock is behind the centre's as its last commands show (their way takes some ms).
    """

    connections: int = 0
    rebirths: int = 0
    samples_published: int = 0
    blocks_resent: int = 0
    blocks_acknowledged: int = 0
    samples_acknowledged: int = 0
    commands_refused: int = 0
    clock_behind_ms: int | None = None
