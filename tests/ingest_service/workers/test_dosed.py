"""Dosing during cremations, from stored samples to a report."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.cycles.cycle import Cycle, FoundBy
from ingest_service.reports.gathering import Records, gather
from ingest_service.reports.model import DosedCremation, Dosing
from ingest_service.reports.span import Kind, calendar_span
from ingest_service.store import overview
from ingest_service.store.cycles import CycleStore
from ingest_service.store.overview import Reader, Scope
from tests.ingest_service.workers.city import BOOK, GAS, MINUTE, START, City

ZONE = ZoneInfo("Asia/Shanghai")
BURNED = Cycle(
    furnace_id=1, case_number="f1-20260621-0800", found_by=FoundBy.PHASE, start_ms=START, charge_ms=START + 5 * MINUTE,
    cooling_ms=START + 45 * MINUTE, end_ms=START + 55 * MINUTE, chamber2_limit_c=850.0, co2_kg_per_m3=2.16,
)  # fmt: skip


def test_the_report_of_a_day_tells_how_long_lime_was_dosed_in_each_cremation(tmp_path: Path) -> None:
    city = City(tmp_path, furnaces=1, channels=(*GAS, "lime_dosing"))
    times = np.arange(START, START + HOUR_MS, 10_000, dtype=np.int64)
    city.write(1, times, {**GAS, "lime_dosing": np.where(times < START + 35 * MINUTE, 0.8, 0.0)})
    CycleStore(city.engine).record(1, START, START + HOUR_MS, [BURNED], START + HOUR_MS)
    city.settle(START + 2 * HOUR_MS)
    reader = Reader(city.engine, Scope())
    records = Records(reader, city.store, BOOK, ZONE, "0.1.0", city.judge.awaits)
    span = calendar_span(Kind.DAY, "2026-06-21", ZONE)
    found = gather(records, overview.homes(reader)[0], overview.furnaces(reader), span)
    city.close()
    dosing = (Dosing("lime_dosing", burning=40, known=40, on=30),)
    assert found.furnaces[0].dosed == (DosedCremation("f1-20260621-0800", dosing),)
