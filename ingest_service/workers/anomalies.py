"""From what detectors found to what alarms are about. Pure."""

from collections.abc import Callable, Collection, Iterator

import numpy as np

from ingest_service.alarms.lifecycle import Condition, Normal, Observation
from ingest_service.alarms.vocabulary import Kind
from ingest_service.anomaly import stuck, unusual
from ingest_service.anomaly.window import Findings, Presence
from ingest_service.columns import Int32s
from ingest_service.store.channels import ChannelRow, Channels
from ingest_service.workers import conditions

Told = Callable[[ChannelRow, Findings, int], Condition]

# By detector: the kind of its alarms, and what one of its findings, at a row, is about.
ALARMS: dict[str, tuple[Kind, Told]] = {
    stuck.NAME: (Kind.STUCK_VALUE, conditions.stuck),
    unusual.NAME: (Kind.UNUSUAL, conditions.unusual),
}


def observations(
    findings: Findings, series: Int32s, now_ms: int, channels: Channels, open_keys: Collection[str]
) -> Iterator[Observation]:
    """Anomalies as conditions, and series (parallel to the findings) that are normal again; nothing of the unknown."""
    kind, told = ALARMS[findings.detector]
    for at in np.flatnonzero(findings.presence == Presence.ANOMALOUS).tolist():
        yield told(channels.row(int(series[at])), findings, at)
    alarmed = np.array(conditions.series_of_keys(kind, open_keys), np.int64)
    for one in series[(findings.presence == Presence.NORMAL) & np.isin(series, alarmed)].tolist():
        yield Normal(conditions.series_key(kind, one), now_ms)
