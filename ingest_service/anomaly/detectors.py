"""The tables of detectors, by what they look at: one module each, one line here."""

from collections.abc import Callable

from ingest_service.anomaly import stuck, unusual
from ingest_service.anomaly.window import FewMinutes, Findings, Window

Detector = Callable[[Window], Findings]
MinuteDetector = Callable[[FewMinutes], Findings]

DETECTORS: dict[str, Detector] = {
    stuck.NAME: stuck.detect,
}
MINUTE_DETECTORS: dict[str, MinuteDetector] = {
    unusual.NAME: unusual.detect,
}


def run_all(window: Window) -> tuple[Findings, ...]:
    """Every detector's findings on one window."""
    return tuple(detect(window) for detect in DETECTORS.values())


def run_on_minutes(window: FewMinutes) -> tuple[Findings, ...]:
    """The same of the detectors that look at minutes."""
    return tuple(detect(window) for detect in MINUTE_DETECTORS.values())
