"""Is the process alive, and does the service do its work."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from ingest_service.api.access import PUBLIC, known_caller
from ingest_service.api.context import Check, Context, Here
from ingest_service.api.describing import OPEN
from ingest_service.api.schemas import Out
from ingest_service.errors import StoreError
from ingest_service.intake.counters import IngestCounters
from ingest_service.people.decision import has
from ingest_service.people.roles import Right
from ingest_service.store.timeseries import TimeSeriesStore

router = APIRouter(tags=["health"])


class CheckOut(Out):
    """One thing that must work; `problem` is empty while it does."""

    name: str
    problem: str


class ReadyOut(Out):
    """Whether the service does its work, and what is in the way where not."""

    ready: bool
    checks: list[CheckOut]


@router.get("/healthz", summary="Is the process alive", dependencies=[PUBLIC], openapi_extra=OPEN)
def show_alive() -> dict[str, str]:
    """Answers while the process runs."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    summary="Does the service do its work",
    responses={503: {"model": ReadyOut}},
    dependencies=[PUBLIC],
    openapi_extra=OPEN,
)
def show_ready(here: Here, request: Request, response: Response) -> ReadyOut:
    """503 while anything is in the way; what it is, is for those who run the service."""
    caller = known_caller(request)
    told = caller is not None and has(caller, Right.OPERATE)
    checks = [check if told or not check.problem else _untold(check) for check in check_all(here)]
    ready = not any(check.problem for check in checks)
    response.status_code = 200 if ready else 503
    return ReadyOut(ready=ready, checks=checks)


def _untold(check: CheckOut) -> CheckOut:
    """A problem names hosts, files and queues: strangers hear only that there is one."""
    return CheckOut(name=check.name, problem="failed")


def check_all(here: Context) -> list[CheckOut]:
    """Every check with its problem."""
    return [CheckOut(name=check.name, problem=check.problem()) for check in here.checks]


def answers(name: str, probe: Callable[[], object]) -> Check:
    """A check that `probe` raises no StoreError."""

    def problem() -> str:
        try:
            probe()
        except StoreError as error:
            return str(error)
        return ""

    return Check(name, problem)


def store_check(store: TimeSeriesStore) -> Check:
    """Does the time-series store answer, and is there nothing that a person must see to."""

    def problem() -> str:
        try:
            return store.status().problem
        except StoreError as error:
            return str(error)

    return Check("store", problem)


def broker_check(connected: Callable[[], bool]) -> Check:
    """Is the broker connected."""
    return Check("broker", lambda: "" if connected() else "not connected to the broker")


def ingest_check(counters: Callable[[], IngestCounters], longest_queue: int) -> Check:
    """Is the writing keeping up: no more messages wait than `longest_queue`."""

    def problem() -> str:
        waiting = counters().queued_messages
        return f"{waiting} messages wait to be stored" if waiting > longest_queue else ""

    return Check("ingest", problem)
