"""Examines whether VictoriaMetrics was started with what this product needs. Pure."""

import re
from collections.abc import Iterator, Sequence

from ingest_service.config import FOR_EVER, Retention
from ingest_service.store.findings import Finding, right, unknown, wrong
from ingest_service.store.victoria.metrics import Process

_UNITS_MS = {
    "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "M": 31 * 86_400_000,
    "y": 365 * 86_400_000,
}  # fmt: skip
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwMy])?")
SHIPPED = "deploy/victoriametrics/flags"


def examine(storage: Sequence[Process], reading: Process, retention: Retention) -> Iterator[Finding]:
    """The flags of every process that holds samples, and of the one that answers questions."""
    for at, process in enumerate(storage, 1):
        place = "" if len(storage) == 1 else f" of vmstorage {at}"
        yield _retention(process, retention, place)
        yield _flag(process, "dedup.minScrapeInterval", "1ms", f"dedup.minScrapeInterval{place}")
    yield _flag(reading, "dedup.minScrapeInterval", "1ms", "dedup.minScrapeInterval when reading")
    yield _at_most(reading, "search.latencyOffset", 1_000)
    yield _at_least(reading, "search.maxUniqueTimeseries", 1_000_000)
    if "influxMeasurementFieldSeparator" in reading.flags:
        yield _flag(reading, "influxMeasurementFieldSeparator", "_", "influxMeasurementFieldSeparator")


def duration_ms(text: str) -> float | None:
    """A duration as the flags have it: a bare number counts months. None for anything else."""
    match = _DURATION.fullmatch(text.strip())
    return None if match is None else float(match[1]) * _UNITS_MS[match[2] or "M"]


def _retention(process: Process, retention: Retention, place: str) -> Finding:
    """One time holds for everything on a server, so the longest decides; for ever is ten years here."""
    days = max(retention.raw_days, retention.minute_days, retention.hour_days)
    wanted = 3_650 if FOR_EVER in (retention.raw_days, retention.minute_days, retention.hour_days) else days
    text = process.flags.get("retentionPeriod", "")
    found_ms = duration_ms(text)
    subject = f"retentionPeriod{place}"
    if found_ms is None:
        return unknown(subject, "is not told by /metrics")
    if found_ms < wanted * _UNITS_MS["d"]:
        return wrong(
            subject, f"is {text}, at least {wanted} days wanted: older data vanish without a word; see {SHIPPED}"
        )
    return right(subject, f"is {text}")


def _flag(process: Process, flag: str, wanted: str, subject: str) -> Finding:
    found = process.flags.get(flag)
    if found is None:
        return unknown(subject, "is not told by /metrics")
    return (
        right(subject, f"is {found}")
        if found == wanted
        else wrong(subject, f"is {found}, {wanted} wanted; see {SHIPPED}")
    )


def _at_most(process: Process, flag: str, most_ms: float) -> Finding:
    found = process.flags.get(flag)
    if found is None:
        return unknown(flag, "is not told by /metrics")
    length = duration_ms(found)
    if length is None or length > most_ms:
        return wrong(
            flag, f"is {found}, at most {most_ms / 1000:g}s wanted: the newest samples are hidden; see {SHIPPED}"
        )
    return right(flag, f"is {found}")


def _at_least(process: Process, flag: str, least: int) -> Finding:
    found = process.flags.get(flag)
    if found is None or not found.isdigit():
        return unknown(flag, "is not told by /metrics")
    if int(found) < least:
        return wrong(flag, f"is {found}, at least {least} wanted for a large fleet; see {SHIPPED}")
    return right(flag, f"is {found}")
