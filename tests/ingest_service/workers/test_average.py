from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.emissions.minute_tally import MinuteTally
from ingest_service.errors import StoreError
from ingest_service.store.batch import MeanBatch, SampleBatch
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.workers.average import GRACE_MS, AverageWorker, FurnaceHour
from ingest_service.workers.unreadable import TRY_AGAIN_MS
from tests.ingest_service.workers.city import GAS, START, City

CO = 102  # series of furnace 1


def minutes(city: City, hours: int = 1) -> MeanBatch:
    series = city.channels().series.tolist()
    return city.store.means(MINUTE_MS, series, START, START + hours * HOUR_MS)


def test_minutes_that_have_ended_are_averaged_and_others_wait(city: City) -> None:
    city.feed(1, START, START + 150_000)
    assert city.average.step(START + MINUTE_MS + GRACE_MS - 1) == 0
    assert city.average.step(START + 2 * MINUTE_MS + GRACE_MS) == 2
    found = city.store.means(MINUTE_MS, [CO], START, START + HOUR_MS)
    assert found.start_ms.tolist() == [START, START + MINUTE_MS]
    assert found.mean.tolist() == [GAS["co"], GAS["co"]]
    assert found.covered.tolist() == [1.0, 1.0]


def test_the_running_hour_has_a_mean_too(city: City) -> None:
    city.feed(1, START, START + 600_000, {"co": 25.0})
    city.average.step(START + 20 * MINUTE_MS)
    hour = city.store.means(HOUR_MS, [CO], START, START + HOUR_MS)
    assert hour.mean.tolist() == [25.0]
    assert hour.covered[0] == pytest.approx((600 + 6) / 3600, abs=1e-5)


def test_a_value_holds_into_the_minutes_after_the_last_sample(city: City) -> None:
    city.feed(1, START, START + 59_000)
    city.average.step(START + MINUTE_MS + GRACE_MS)
    city.average.step(START + 5 * MINUTE_MS)
    total = city.store.means(MINUTE_MS, [city.series(1, "gas_total")], START, START + HOUR_MS)
    assert total.covered[:3].tolist() == pytest.approx([1.0, 1.0, 21 / 60])  # 91 s from 50 s on
    assert total.covered[3:].max(initial=0.0) == 0.0


def test_hours_are_told_before_their_marks_are_cleared(city: City) -> None:
    city.feed(1, START, START + MINUTE_MS)

    def refuse(_hours: object, _now_ms: int) -> None:
        raise StoreError("not now")

    worker = AverageWorker(city.store, city.channels, refuse, lambda: 0)
    with pytest.raises(StoreError):
        worker.step(START + 5 * MINUTE_MS)
    heard: list[FurnaceHour] = []
    again = AverageWorker(city.store, city.channels, lambda hours, _now: heard.extend(hours), lambda: 0)
    assert again.step(START + 5 * MINUTE_MS) > 0
    assert heard == [FurnaceHour(1, START)]


def test_only_furnaces_whose_data_changed_are_told_of(city: City) -> None:
    heard: list[FurnaceHour] = []
    worker = AverageWorker(city.store, city.channels, lambda hours, _now: heard.extend(hours), lambda: 0)
    city.feed(2, START + 58 * MINUTE_MS, START + 61 * MINUTE_MS)
    worker.step(START + 3 * HOUR_MS)
    assert sorted(heard, key=lambda hour: hour.start_ms) == [FurnaceHour(2, START), FurnaceHour(2, START + HOUR_MS)]


def test_live_and_replay_give_the_same_means(city: City, tmp_path: Path) -> None:
    replay = City(tmp_path / "replay")
    for minute in range(0, 75, 3):
        at_ms = START + minute * MINUTE_MS
        for one in (city, replay):
            one.feed(1, at_ms, at_ms + 130_000, {"co": float(minute)}, every_ms=7_000, wobble=1.5)
        for step in range(3):
            city.average.step(at_ms + (step + 1) * MINUTE_MS + GRACE_MS)
    end_ms = START + 4 * HOUR_MS
    city.average.step(end_ms)
    replay.average.step(end_ms)
    live, played = minutes(city, 2), minutes(replay, 2)
    replay.close()
    assert len(live) == len(played) > 8 * 75
    for name in live.__struct_fields__:
        assert np.array_equal(getattr(live, name), getattr(played, name), equal_nan=True), name


def test_late_data_change_the_minutes_they_touch_and_their_hour(city: City) -> None:
    city.feed(1, START, START + HOUR_MS, {"co": 10.0})
    city.average.step(START + 2 * HOUR_MS)
    before = city.store.means(HOUR_MS, [CO], START, START + HOUR_MS)
    city.feed(1, START + 5_000, START + MINUTE_MS, {"co": 130.0})
    assert city.average.step(START + 3 * HOUR_MS) > 0
    after = city.store.means(HOUR_MS, [CO], START, START + HOUR_MS)
    assert (before.mean[0], after.high[0]) == (10.0, 130.0)
    # Between 5 s and 60 s each late value holds for five seconds and each punctual one for five.
    assert after.mean[0] == pytest.approx(10.0 + 120.0 * 6 * 5 / 3600, rel=1e-6)


def test_a_backlog_larger_than_a_step_is_taken_in_whole_hours(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_service.workers.average.MARKS_AT_ONCE", 100)
    heard: list[FurnaceHour] = []
    worker = AverageWorker(city.store, city.channels, lambda hours, _now: heard.extend(hours), lambda: 0)
    city.feed(1, START, START + 3 * HOUR_MS - 70_000)
    assert worker.step(START + 5 * HOUR_MS) == 60
    assert FurnaceHour(1, START) in heard
    steps = [worker.step(START + 5 * HOUR_MS) for _ in range(3)]
    assert steps == [60, 60, 0]
    hours = city.store.means(HOUR_MS, [CO], START, START + 3 * HOUR_MS)
    assert hours.covered == pytest.approx([1.0, 1.0, 1.0], abs=0.02)


def test_what_was_added_up_as_it_came_gives_the_same_means_without_being_read(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, tally = City(tmp_path / "reading"), MinuteTally()
    worker = AverageWorker(city.store, city.channels, city.judge.touched, lambda: 0, tally)
    series = city.channels().series.tolist()
    worker.step(START)
    for second in range(0, 70 * 60, 30):
        at_ms = START + second * 1000
        for one in (city, reading):
            one.feed(1, at_ms, at_ms + 30_000, {"co": 20.0 + second % 70}, wobble=3.0)
        tally.add(city.store.raw(series, at_ms, at_ms + 30_000), at_ms + 30_000)
        if second % 60 == 0:
            reads = note_reads(city.store, monkeypatch)
            worker.step(at_ms + 30_000)
            monkeypatch.undo()
            assert not reads or second <= 60, "only the minute in which it began is read"
    end_ms = START + 3 * HOUR_MS
    worker.step(end_ms)
    reading.average.step(end_ms)
    for period in (MINUTE_MS, HOUR_MS):
        mine, other = (
            one.store.means(period, one.channels().series.tolist(), START, end_ms) for one in (city, reading)
        )
        real = mine.covered > 0
        np.testing.assert_allclose(mine.mean[real], other.mean[other.covered > 0], rtol=1e-12)
        assert mine.start_ms[real].tolist() == other.start_ms[other.covered > 0].tolist()
    reading.close()


def test_after_a_restart_the_running_hour_knows_the_minutes_that_were_added_up_before(city: City) -> None:
    tally = MinuteTally()
    worker = AverageWorker(city.store, city.channels, city.judge.touched, lambda: 0, tally)
    worker.step(START)
    for second in range(0, 300, 10):
        at_ms = START + second * 1000
        city.feed(1, at_ms, at_ms + 1)
        tally.add(city.store.raw([CO], at_ms, at_ms + 1), at_ms)
        worker.step(at_ms)
    worker.step(START + 5 * MINUTE_MS + GRACE_MS)
    again = AverageWorker(city.store, city.channels, city.judge.touched, lambda: 0, MinuteTally())
    again.step(START + 6 * HOUR_MS)
    (covered,) = city.store.means(HOUR_MS, [CO], START, START + HOUR_MS).covered
    assert covered == pytest.approx((300 + 6) / 3600, abs=1e-4)


def test_a_damaged_sealed_hour_holds_up_no_other_and_is_averaged_when_it_is_back(city: City) -> None:
    for hour in range(3):
        city.feed(1, START + hour * HOUR_MS, START + (hour + 1) * HOUR_MS)
        city.average.step(START + (hour + 1) * HOUR_MS + MINUTE_MS)
    city.store.seal(START + 3 * HOUR_MS)
    file = sorted(city.folder.rglob("*.parquet"))[1]
    written = file.read_bytes()
    file.write_bytes(b"PAR1" + bytes(len(written) - 8) + b"PAR1")
    now_ms = START + 4 * HOUR_MS
    for hour in range(3):  # late values, among them one of the damaged hour, whose end holds into the next
        city.feed(2, START + hour * HOUR_MS, START + hour * HOUR_MS + MINUTE_MS, {"co": 99.0})
    for _ in range(3):
        city.average.step(now_ms)
    co = city.series(2, "co")
    minute = city.store.means(MINUTE_MS, [co], START, now_ms)
    assert minute.start_ms[minute.covered == 1.0].tolist() == [START, START + 2 * HOUR_MS]
    assert city.store.means(HOUR_MS, [co], START, now_ms).start_ms.tolist() == [START, START + 2 * HOUR_MS]
    assert f"{file.name}: its bytes are not those" in city.store.status().problem
    assert city.store.seal(START + 3 * HOUR_MS) == 2
    file.write_bytes(written)
    assert city.average.step(now_ms + TRY_AGAIN_MS - 1) == 0
    assert city.average.step(now_ms + TRY_AGAIN_MS) > 0
    assert city.store.means(HOUR_MS, [co], START, now_ms).start_ms.tolist() == [START + n * HOUR_MS for n in range(3)]
    assert city.store.seal(START + 3 * HOUR_MS) == 1
    assert city.store.status().problem == ""
    assert city.average.step(now_ms + 2 * TRY_AGAIN_MS) == 0


def note_reads(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where samples are read from, each time that they are."""
    reads: list[int] = []
    read = store.raw

    def raw(series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        reads.append(from_ms)
        return read(series, from_ms, to_ms)

    monkeypatch.setattr(store, "raw", raw)
    return reads
