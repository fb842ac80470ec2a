"""How many furnaces at once stand now, as columns: what a whole country is counted from."""

import numpy as np

from edge_agent.wire.quantity import PHASES
from edge_agent.wire.sample import FIRST_BAD
from ingest_service.api.context import Context
from ingest_service.api.page.tiles import AT_REST
from ingest_service.api.readings import STALE_PERIODS
from ingest_service.columns import Int32s, Int64s
from ingest_service.store.channels import NO_ID

_AT_WORK = [code for code, name in PHASES.items() if name not in AT_REST]


def burning(here: Context, furnaces: Int64s) -> set[int]:
    """Those of these furnaces whose phase is live and neither idle nor cooling."""
    channels = here.channels()
    known = channels.series_of("phase", furnaces)
    rows = here.live.rows(known[known != NO_ID].astype(np.int32))
    at = np.searchsorted(channels.series, rows.series)
    stale = here.clock() - rows.measured_at_ms > STALE_PERIODS * 1000 * channels.period_s[at]  # never where no period
    usable = (rows.reason < FIRST_BAD) & ~stale
    return set(channels.furnace[at[usable & np.isin(np.round(rows.value), _AT_WORK)]].tolist())


def series_of(here: Context, furnaces: Int64s | None) -> Int32s:
    """Every series of these furnaces (of all, where None)."""
    channels = here.channels()
    own = channels.furnace != NO_ID if furnaces is None else np.isin(channels.furnace, furnaces)
    return channels.series[own]
