"""Where a zone's hours begin: legal hours are those of the site's clock, whatever its distance from UTC. Pure."""

from datetime import datetime, timedelta, tzinfo

import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Int64s

_NONE = timedelta()


def hour_start_ms(at_ms: int, zone: tzinfo) -> int:
    """When the zone's clock hour began that a moment lies in (both ms since 1970 UTC)."""
    return at_ms - _since_hour_ms(at_ms, zone)


def hour_starts_ms(at_ms: Int64s, zone: tzinfo) -> Int64s:
    """The same of many moments."""
    moments, place = np.unique(at_ms, return_inverse=True)
    since = np.array([_since_hour_ms(int(one), zone) for one in moments], np.int64)
    return np.asarray(at_ms - since[place], np.int64)


def _since_hour_ms(at_ms: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset() or _NONE
    return (at_ms + round(offset.total_seconds() * 1000)) % HOUR_MS
