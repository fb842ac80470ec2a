"""Samples that the server refuses for good: kept in the ledger, tried again now and then, told to people."""

import time
from collections.abc import Callable

import msgspec
import numpy as np
import structlog

from ingest_service.errors import StoreError
from ingest_service.store.batch import SampleBatch, empty_samples, some_rows
from ingest_service.store.remote.engine import Engine, Wait
from ingest_service.store.remote.ledger import Ledger

REST_S = 60.0  # so long samples of a refused series go to the quarantine without being tried
MOST_KEPT = 1_000_000  # beyond it nothing more is taken from the edges
_AT_ONCE = 20_000
_log = structlog.get_logger(__name__)


class Refused(msgspec.Struct, frozen=True):
    """Rows that were not written, and what was said of each."""

    batch: SampleBatch
    problems: tuple[str, ...]


class Quarantine:
    """Of one store, whose lock is held by every caller."""

    def __init__(self, engine: Engine, ledger: Ledger, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._ledger, self._monotonic_s = engine, ledger, monotonic_s
        self._resting: dict[int, tuple[float, str]] = {}
        self._count = ledger.count_quarantined()

    @property
    def count(self) -> int:
        """How many samples wait here."""
        return self._count

    @property
    def problem(self) -> str:
        """What a person must see to; "" where nothing waits."""
        if not self._count:
            return ""
        said = next((problem for _, problem in self._resting.values()), "see the log")
        return f"{self._count} samples are refused by the store and wait beside it: {said}"

    def write(self, batch: SampleBatch, wait: Wait) -> Refused:
        """Write a batch; what is refused, and rows of series that rest after a refusal, are returned."""
        problems = self._of_resting(batch)
        tried = np.array([at for at in range(len(batch)) if at not in problems], np.int64) if problems else None
        rest = batch if tried is None else some_rows(batch, tried)
        for refusal in self._engine.write_samples(rest, wait):
            problems[refusal.row if tried is None else int(tried[refusal.row])] = refusal.problem
        self._rest(batch, problems)
        if problems and self._count + len(problems) > MOST_KEPT:
            raise StoreError(f"{self._engine.address}: {self._count} refused samples wait, no more is taken in")
        rows = np.array(sorted(problems), np.int64)
        return Refused(some_rows(batch, rows), tuple(problems[at] for at in rows.tolist()))

    def kept(self, refused: Refused) -> None:
        """These are in the ledger now."""
        self._count += len(refused.batch)

    def take_again(self, wait: Wait) -> SampleBatch:
        """Try what waits, first one sample of each series; return what the server has now."""
        if not self._count:
            return empty_samples()
        waiting = self._ledger.quarantined(_AT_ONCE)
        batch = waiting.batch
        _, probes = np.unique(batch.series, return_index=True)
        refused = [probes[one.row] for one in self._engine.write_samples(some_rows(batch, probes), wait)]
        accepted = np.flatnonzero(~np.isin(batch.series, batch.series[refused]))
        still = [accepted[one.row] for one in self._engine.write_samples(some_rows(batch, accepted), wait)]
        done = np.setdiff1d(accepted, np.array(still, np.int64))
        self._ledger.release([waiting.ids[row] for row in done.tolist()])
        self._count -= len(done)
        return some_rows(batch, done)

    def _of_resting(self, batch: SampleBatch) -> dict[int, str]:
        """Rows of series that were refused a moment ago, with what was said then."""
        now_s = self._monotonic_s()
        self._resting = {series: rest for series, rest in self._resting.items() if rest[0] > now_s}
        if not self._resting:
            return {}
        rows = np.flatnonzero(np.isin(batch.series, list(self._resting)))
        return {row: self._resting[int(batch.series[row])][1] for row in rows.tolist()}

    def _rest(self, batch: SampleBatch, problems: dict[int, str]) -> None:
        until_s = self._monotonic_s() + REST_S
        for row, problem in problems.items():
            series = int(batch.series[row])
            if series not in self._resting:
                self._resting[series] = (until_s, problem)
                _log.error("samples_refused", store=self._engine.address, series=series, problem=problem)
