"""What becomes of the disk that the store is on. Pure."""

from enum import StrEnum

import msgspec

from ingest_service.config import FOR_EVER, Retention
from ingest_service.store.timeseries import StoreStatus


class Outlook(StrEnum):
    """What becomes of the disk."""

    UNKNOWN = "unknown"
    FITS = "fits"
    FULL = "full"


class Forecast(msgspec.Struct, frozen=True):
    """Where the growth of the last week leads: `days_left` until the disk is full, where it will be.

    `settled_bytes` is what the store comes to when as much goes as comes; None where nothing ever goes.
    """

    outlook: Outlook
    days_left: float | None = None
    settled_bytes: int | None = None


def forecast(status: StoreStatus, retention: Retention) -> Forecast:
    """The future of a store on its disk."""
    growth, free, present = status.growth_bytes_per_day, status.free_bytes, status.disk_bytes
    if not growth or free is None or present is None:
        return Forecast(Outlook.UNKNOWN)
    settled = None if retention.raw_days == FOR_EVER else round(growth * retention.raw_days)
    if settled is not None and settled - present <= free:
        return Forecast(Outlook.FITS, settled_bytes=settled)
    return Forecast(Outlook.FULL, free / growth, settled)
