import msgspec
import pytest

from ingest_service.config import FOR_EVER, Retention
from ingest_service.store.findings import State
from ingest_service.store.victoria import setup
from ingest_service.store.victoria.metrics import Process, read_process

FLAGS = {
    "retentionPeriod": "10y",
    "dedup.minScrapeInterval": "1ms",
    "search.latencyOffset": "1s",
    "search.maxUniqueTimeseries": "2000000",
    "influxMeasurementFieldSeparator": "_",
}
METRICS = b"""vm_rows{type="indexdb"} 7
vm_rows{type="storage/big"} 3
vm_rows{type="storage/small"} 4
vm_data_size_bytes{type="indexdb"} 10
vm_data_size_bytes{type="storage/small"} 2.5e+06
vm_free_disk_space_bytes{path="vm"} 83674411008
process_start_time_seconds 1795502943
flag{name="retentionPeriod", value="10y", is_set="true"} 1
flag{name="pushmetrics.extraLabel", value="a=\\"b\\"", is_set="true"} 1
"""


def process(**changes: str) -> Process:
    flags = FLAGS | {name.replace("__", "."): value for name, value in changes.items()}
    return Process(
        started="1", flags={name: text for name, text in flags.items() if text}, rows=1, disk_bytes=1, free_bytes=1
    )


def test_a_process_is_read_from_its_metrics() -> None:
    found = read_process(METRICS)
    assert (found.started, found.rows, found.disk_bytes, found.free_bytes) == (
        "1795502943",
        7,
        2_500_010,
        83_674_411_008,
    )
    assert found.flags == {"retentionPeriod": "10y", "pushmetrics.extraLabel": 'a=\\"b\\"'}


def test_what_is_shipped_is_right() -> None:
    assert {one.state for one in setup.examine([process()], process(), Retention())} == {State.RIGHT}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"retentionPeriod": "1"}, "retentionPeriod"),
        ({"retentionPeriod": "1830d"}, "retentionPeriod"),
        ({"dedup__minScrapeInterval": "0s"}, "dedup.minScrapeInterval"),
        ({"search__latencyOffset": "30s"}, "search.latencyOffset"),
        ({"search__maxUniqueTimeseries": "300000"}, "search.maxUniqueTimeseries"),
        ({"influxMeasurementFieldSeparator": "."}, "influxMeasurementFieldSeparator"),
    ],
)
def test_each_flag_that_is_not_as_it_must_be_is_named(changes: dict[str, str], wrong: str) -> None:
    kept = Retention(raw_days=1860, minute_days=1860, hour_days=1860)
    found = [one for one in setup.examine([process(**changes)], process(**changes), kept) if one.state is State.WRONG]
    assert {one.subject.partition(" ")[0] for one in found} == {wrong}
    assert all(setup.SHIPPED in one.text for one in found)


def test_every_vmstorage_of_a_cluster_is_looked_at() -> None:
    storage = [process(), process(retentionPeriod="1y")]
    (found,) = [one for one in setup.examine(storage, process(), Retention()) if one.state is State.WRONG]
    assert found.subject == "retentionPeriod of vmstorage 2"


def test_a_server_that_hides_its_flags_is_not_called_right() -> None:
    silent = msgspec.structs.replace(process(), flags={})
    assert {one.state for one in setup.examine([silent], silent, Retention())} == {State.UNKNOWN}


def test_for_ever_is_ten_years_on_a_server_that_must_have_an_end() -> None:
    kept = Retention(raw_days=30, minute_days=30, hour_days=FOR_EVER)
    (found, *_) = setup.examine([process(retentionPeriod="9y")], process(), kept)
    assert found.state is State.WRONG


@pytest.mark.parametrize(
    ("text", "days"),
    [("10y", 3650), ("1860d", 1860), ("2", 62), ("5w", 35), ("1.5d", 1.5), ("ten years", None), ("", None)],
)
def test_durations_as_flags_have_them(text: str, days: float | None) -> None:
    found = setup.duration_ms(text)
    assert (found if found is None else found / 86_400_000) == days
