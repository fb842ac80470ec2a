"""Everything that a route may use, put together once at the start and handed to `create_app`."""

import threading
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from fastapi import Depends, Request

from ingest_service.config import Config
from ingest_service.emissions.charging import ChargeAdvice
from ingest_service.emissions.explanation import Explanation
from ingest_service.emissions.pack import RulePack
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.units import Pollutant
from ingest_service.intake.counters import IngestCounters
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.audit import AuditTrail
from ingest_service.store.channels import Channels
from ingest_service.store.derived.point import DerivedStore
from ingest_service.store.live import LiveTable
from ingest_service.store.marks import MarkStore
from ingest_service.store.organisation import PeopleStores
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.remarks import RemarkLog
from ingest_service.store.timeseries import TimeSeriesStore

EVERYTHING = Scope()


class Check(msgspec.Struct, frozen=True):
    """One thing that must work before the service is ready; `problem` returns "" while it does."""

    name: str
    problem: Callable[[], str]


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The service as page and API see it. `clock` gives ms since 1970 UTC; `closing` ends every live stream."""

    reader: Callable[[Scope], Reader]
    alarms: AlarmStore
    audit: AuditTrail
    people: PeopleStores
    marks: MarkStore
    remarks: RemarkLog
    marked: Callable[[int, int, int, int], None]  # furnace id, from, to, now (ms): judge these hours again
    awaits: Callable[[int, int, int], bool]  # furnace id, from, to (ms): whether a mark in that time is not judged yet
    store: TimeSeriesStore
    derived: DerivedStore
    live: LiveTable
    channels: Callable[[], Channels]
    edges: Callable[[], Sequence[EdgeView]]
    previews: Callable[[], Sequence[Preview]]
    advice: Callable[[], Sequence[ChargeAdvice]]
    explain: Callable[[int, Pollutant, int], Sequence[Explanation]]  # furnace id, what, at (ms since 1970 UTC)
    counters: Callable[[], IngestCounters]
    book: RuleBook
    config: Config
    clock: Callable[[], int]
    checks: tuple[Check, ...]
    version: str
    closing: threading.Event

    @property
    def packs(self) -> tuple[RulePack, ...]:
        """Every rule pack that holds for any furnace."""
        return self.book.packs


def context_of(request: Request) -> Context:
    """The context of the running application."""
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(context_of)]
