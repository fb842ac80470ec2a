"""Since when each furnace burns, from its phase signal. Pure."""

import numpy as np

from edge_agent.wire.quantity import PHASES
from ingest_service.anomaly.window import NOT_BURNING
from ingest_service.columns import Float64s, Int64s

BURNING_CODES = tuple(code for code, name in PHASES.items() if name in ("charge", "ignition", "main", "burnout"))


def burning_since_ms(measured_at_ms: Int64s, code: Float64s) -> int:
    """When the newest unbroken stretch of burning phases began, of one furnace's phase samples sorted by time.

    NOT_BURNING where the newest sample says otherwise, is bad, or there is none.
    """
    burning = np.isin(code, BURNING_CODES)
    if not len(burning) or not burning[-1]:
        return int(NOT_BURNING)
    interruptions = np.flatnonzero(~burning)
    return int(measured_at_ms[interruptions[-1] + 1 if len(interruptions) else 0])
