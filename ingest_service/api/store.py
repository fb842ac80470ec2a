"""JSON: what the store of the time series holds, how long it keeps it, and when its disk will be full."""

from fastapi import APIRouter

from ingest_service.api.access import needs
from ingest_service.api.context import Here
from ingest_service.api.schemas import Out
from ingest_service.people.roles import Right
from ingest_service.store.forecast import forecast

router = APIRouter(tags=["operations"])


class StoreOut(Out):
    """The store of the time series; null is what it does not say. Days to keep are 0 for ever.

    `outlook` is fits, full (in `days_left` days at the growth of the last week) or unknown.
    """

    kind: str
    hot_rows: int | None
    sealed_rows: int | None
    oldest_ms: int | None
    newest_ms: int | None
    disk_bytes: int | None
    free_bytes: int | None
    growth_bytes_per_day: float | None
    outlook: str
    days_left: float | None
    settled_bytes: int | None
    raw_days: int
    minute_days: int
    hour_days: int
    quarantined_samples: int
    problem: str


@router.get(
    "/store",
    summary="The store: what it holds, its disk and the forecast of it",
    dependencies=[needs(Right.OPERATE)],
)
def show_store(here: Here) -> StoreOut:
    """As it is now; null is what the store does not say."""
    status, kept = here.store.status(), here.config.storage.retention
    future = forecast(status, kept)
    return StoreOut(
        kind=status.kind,
        hot_rows=status.hot_rows,
        sealed_rows=status.sealed_rows,
        oldest_ms=status.oldest_ms,
        newest_ms=status.newest_ms,
        disk_bytes=status.disk_bytes,
        free_bytes=status.free_bytes,
        growth_bytes_per_day=status.growth_bytes_per_day,
        outlook=future.outlook,
        days_left=future.days_left,
        settled_bytes=future.settled_bytes,
        raw_days=kept.raw_days,
        minute_days=kept.minute_days,
        hour_days=kept.hour_days,
        quarantined_samples=status.quarantined_samples,
        problem=status.problem,
    )
