"""The table of detectors: one module each, one line here."""

from collections.abc import Callable

from ingest_service.anomaly import stuck
from ingest_service.anomaly.window import Findings, Window

Detector = Callable[[Window], Findings]

DETECTORS: dict[str, Detector] = {
    stuck.NAME: stuck.detect,
}


def run_all(window: Window) -> tuple[Findings, ...]:
    """Every detector's findings on one window."""
    return tuple(detect(window) for detect in DETECTORS.values())
