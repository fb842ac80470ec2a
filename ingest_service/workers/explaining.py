"""Explains verdicts at a moment: computed anew from the stored minutes, beside what was recorded."""

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.assessment import assess
from ingest_service.emissions.explanation import Explanation, Revision, explain
from ingest_service.emissions.periods import hours_within
from ingest_service.emissions.units import Pollutant
from ingest_service.store.channels import Channels
from ingest_service.store.judgements import JudgementStore
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.cremations import cycles_for
from ingest_service.workers.minutes import hour_bounds, read_minutes
from ingest_service.workers.plant_record import PlantRecord
from ingest_service.workers.verdicts import Site, Task, evidence_of, needed_hours, tasks


class Explainer(msgspec.Struct, frozen=True):
    """What an explanation is made from. Safe to use from any thread."""

    store: TimeSeriesStore
    judgements: JudgementStore
    site: Site
    plant: PlantRecord

    def explain(self, channels: Channels, furnace_id: int, pollutant: Pollutant, at_ms: int) -> list[Explanation]:
        """Every period of every limit on that pollutant that the moment lies in, over or not."""
        hour_ms = at_ms // HOUR_MS * HOUR_MS
        row = np.array([furnace_id], np.int64), np.array([hour_ms], np.int64)
        cycles = cycles_for(self.plant, self.site, hour_ms, hour_ms + HOUR_MS)
        found = tasks(channels, self.site, cycles, *row, until_ms=10**15)
        own = [task for task in found if task.limit.pollutant is pollutant]
        return [self._explained(channels, one) for task in own for one in _around(task, at_ms)]

    def _explained(self, channels: Channels, task: Task) -> Explanation:
        cycles = cycles_for(self.plant, self.site, int(task.periods.start_ms[0]), int(task.periods.end_ms[0]))
        furnace, hours = needed_hours(task, cycles)
        from_ms, to_ms = hour_bounds(hours)
        marks = self.plant.marks(from_ms, to_ms)
        pollutants = [task.limit.pollutant]
        minutes = read_minutes(self.store, channels, marks, np.unique(furnace), pollutants, from_ms, to_ms)
        evidence = evidence_of(minutes, task, self.site, cycles)
        verdict = assess(task.periods, task.limit, task.pack, evidence)
        rows = minutes.rows(task.limit, task.pack, *hours_within(task.periods))
        told = explain(task.periods, rows, verdict, task.limit, task.pack, self.site.barometric_pa)
        return msgspec.structs.replace(told, revisions=self._recorded(told))

    def _recorded(self, told: Explanation) -> tuple[Revision, ...]:
        return self.judgements.revisions(told.furnace_id, told.rule, told.pollutant, told.averaging, told.start_ms)


def _around(task: Task, at_ms: int) -> list[Task]:
    """The task cut down to each of its periods that the moment lies in."""
    periods = task.periods
    inside = (periods.start_ms <= at_ms) & (at_ms < periods.end_ms)
    chosen = [np.arange(len(periods)) == at for at in np.flatnonzero(inside)]
    return [Task(task.pack, task.limit, periods.where(one)) for one in chosen]
