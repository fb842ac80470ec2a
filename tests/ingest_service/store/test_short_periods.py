"""Short means by the hour, from real judgements."""

from pathlib import Path

import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.short_periods import ShortPeriods, short_periods
from tests.ingest_service.emissions.gas import limit_over, pack_of
from tests.ingest_service.workers.city import GAS, MINUTE, START, City

BOOK = RuleBook((pack_of(limit_over(Averaging.TEN_MINUTES, 100.0), limit_over(Averaging.CLOCK_HOUR, 100.0)),))


def test_the_means_of_an_hour_are_told_by_their_verdict_in_their_newest_revision(tmp_path: Path) -> None:
    city = City(tmp_path, furnaces=1, book=BOOK)
    burning = {**GAS, "flue_o2": 11.0, "co": 10.0}
    city.write(1, np.arange(START, START + HOUR_MS, 10_000, dtype=np.int64), burning)
    city.settle(START + 2 * HOUR_MS)
    late = np.arange(START + 20 * MINUTE, START + 30 * MINUTE, 1_000, dtype=np.int64)
    city.write(1, late[late % 10_000 != 0], {**burning, "co": 400.0})
    city.settle(START + 3 * HOUR_MS)
    found = short_periods(Reader(city.engine, Scope()), 1, START - HOUR_MS, START + HOUR_MS)
    city.close()
    exceeded, within = sorted(found, key=lambda one: one.verdict)
    assert (exceeded.periods, within.periods) == (1, 5)
    assert (within.verdict, within.start_ms, within.lowest, within.highest) == ("within", START, 10.0, 10.0)
    assert isinstance(exceeded, ShortPeriods)
    assert exceeded.highest is not None
    assert exceeded.highest > 300.0
    assert exceeded.averaging == "ten_minutes"
