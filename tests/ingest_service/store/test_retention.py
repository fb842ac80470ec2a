from pathlib import Path

import msgspec
import pytest

from edge_agent.wire.durations import DAY_MS, HOUR_MS, MINUTE_MS
from ingest_service.config import Retention
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.forecast import Forecast, Outlook, forecast
from ingest_service.store.timeseries import StoreStatus
from tests.ingest_service.store.batches import START_MS, Row, means, means_of, one_block, rows_of

GB = 1_000_000_000
STATUS = StoreStatus(
    kind="embedded", hot_rows=0, sealed_rows=0, disk_bytes=10 * GB, oldest_ms=None, newest_ms=None,
    free_bytes=100 * GB, growth_bytes_per_day=0.05 * GB,
)  # fmt: skip
KEPT = Retention(raw_days=2, minute_days=3, hour_days=0)


def test_raw_samples_are_kept_five_years_by_default_and_hour_means_for_ever() -> None:
    assert Retention().raw_days >= 5 * 365 + 2
    assert Retention().hours_before_ms(10**13) is None


def test_days_to_keep_are_never_negative() -> None:
    with pytest.raises(msgspec.ValidationError, match="0 \\(for ever\\) or more"):
        msgspec.convert({"raw_days": -1}, Retention)


@pytest.mark.parametrize(
    ("changes", "days", "expected"),
    [
        pytest.param({}, 1860, Forecast(Outlook.FITS, settled_bytes=93 * GB), id="five years fit"),
        pytest.param({"free_bytes": 50 * GB}, 1860, Forecast(Outlook.FULL, 1000.0, 93 * GB), id="they do not"),
        pytest.param({}, 0, Forecast(Outlook.FULL, 2000.0), id="for ever never fits"),
        pytest.param({"growth_bytes_per_day": None}, 1860, Forecast(Outlook.UNKNOWN), id="too young to tell"),
        pytest.param({"free_bytes": None}, 1860, Forecast(Outlook.UNKNOWN), id="a server that does not say"),
    ],
)
def test_the_future_of_the_disk(changes: dict[str, object], days: int, expected: Forecast) -> None:
    assert forecast(msgspec.structs.replace(STATUS, **changes), Retention(raw_days=days)) == expected


def filled(folder: Path, days: int) -> EmbeddedStore:
    """A sample and a mean of each kind a day, all sealed but the last day."""
    store = EmbeddedStore(folder)
    rows: list[Row] = [(1, day * DAY_MS, float(day)) for day in range(days)]
    store.write(one_block(1, rows))
    store.write_means(means(rows), means(rows), store.dirty_minutes(0, 1))
    store.seal(START_MS + (days - 1) * DAY_MS)
    return store


def test_what_is_older_than_it_must_be_kept_goes_file_by_file_and_stays_gone(tmp_path: Path) -> None:
    store = filled(tmp_path, 6)
    assert store.retire(KEPT, START_MS + 5 * DAY_MS + 1) == 3
    everything = (START_MS, START_MS + 9 * DAY_MS)
    kept = [(1, day * DAY_MS, float(day)) for day in range(6)]
    assert rows_of(store.raw([1], *everything)) == kept[3:]
    assert means_of(store.means(MINUTE_MS, [1], *everything)) == kept[3:]
    assert means_of(store.means(HOUR_MS, [1], *everything)) == kept
    assert len(list(tmp_path.rglob("*.parquet"))) == 2
    store.close()
    again = EmbeddedStore(tmp_path)
    assert rows_of(again.raw([1], *everything)) == kept[3:]
    assert again.retire(KEPT, START_MS + 5 * DAY_MS + 1) == 0
    again.close()


def test_nothing_goes_where_everything_is_kept_for_ever(tmp_path: Path) -> None:
    store = filled(tmp_path, 3)
    assert store.retire(Retention(raw_days=0, minute_days=0), START_MS + 10_000 * DAY_MS) == 0
    assert len(store.raw([1], START_MS, START_MS + 9 * DAY_MS)) == 3
    store.close()


def test_growth_is_told_when_some_hours_are_sealed(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.write(one_block(1, [(1, hour * HOUR_MS, float(hour)) for hour in range(12)]))
    store.seal(START_MS + 3 * HOUR_MS)
    assert store.status().growth_bytes_per_day is None
    store.seal(START_MS + 12 * HOUR_MS)
    status, sealed = store.status(), sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
    assert status.growth_bytes_per_day == 2 * sealed
    assert status.disk_bytes is not None
    assert status.disk_bytes > sealed
    store.close()
