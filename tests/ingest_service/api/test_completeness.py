"""Completeness over a real server: a day with a stopped agent, a broken wire and late data, as JSON and as a page."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, GapReason
from edge_agent.wire.sample import Reason
from ingest_service.config import Http
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from ingest_service.store.gaps import GapLog, GapRow
from tests.support.browser import served
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS, VALUES, City, small_city

PATH = "/api/v1/homes/beishan/furnaces/furnace-1/completeness"
PAGE = "/homes/beishan/furnaces/furnace-1/completeness"
THIS_HOUR = NOW_MS // HOUR_MS * HOUR_MS
STOPPED = Gap("furnace-1", THIS_HOUR - HOUR_MS, THIS_HOUR - HOUR_MS + 20 * MINUTE_MS - 1, 0, GapReason.AGENT_STOPPED)
LOST = Gap("", 0, THIS_HOUR - 30 * HOUR_MS, 7, GapReason.CORRUPT_FILE)


def fill(city: City) -> None:
    """CO of three hours: whole, two thirds with a stop of 20 minutes, and the running one; O2 with a broken wire."""
    co, o2 = (city.furnaces[0].series[name] for name in ("co", "flue_o2"))
    starts = THIS_HOUR + np.array([-2, -1, 0], np.int64) * HOUR_MS
    covered = np.array([1.0, 40 / 60, 42 / 60], np.float32)
    value = np.full(3, 40.0)
    nothing = DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))
    for series in (co, o2):
        means = MeanBatch(np.full(3, series, np.int32), starts, value, value, value, covered)
        city.store.write_means(means, means, nothing)
    at_ms = np.arange(THIS_HOUR - 2 * HOUR_MS, THIS_HOUR - HOUR_MS, 10_000)
    samples = SampleBatch(
        np.full(len(at_ms), co, np.int32), at_ms, np.zeros(len(at_ms)), np.zeros(len(at_ms), np.uint8)
    )
    city.store.write(msgspec.structs.replace(samples, received_ms=THIS_HOUR - HOUR_MS - 30 * MINUTE_MS))
    bad_ms = THIS_HOUR - HOUR_MS + 25 * MINUTE_MS + np.arange(6, dtype=np.int64) * 10_000
    reason = np.full(6, Reason.WIRE_BREAK, np.uint8)
    city.store.write(SampleBatch(np.full(6, o2, np.int32), bad_ms, np.full(6, np.nan), reason))
    log = GapLog(city.engine)
    log.add([GapRow(1, 5, FIRST_GAP_BLOCK + n, gap, NOW_MS - MINUTE_MS) for n, gap in enumerate((STOPPED, LOST))])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with small_city(tmp_path_factory.mktemp("complete"), Http(port=0)) as city:
        fill(city)
        with served(city) as address, httpx.Client(base_url=address, timeout=60) as client:
            yield client


def got(reader: httpx.Client, path: str = PATH, **params: int | str) -> Any:
    response = reader.get(path, params={"from": THIS_HOUR - 2 * HOUR_MS, "to": NOW_MS, **params})
    assert response.status_code == 200, response.text
    return response.json()


def hours_of(reader: httpx.Client, channel: str) -> list[dict[str, Any]]:
    (tag,) = [tag for tag in got(reader)["tags"] if tag["channel"] == channel]
    return list(tag["hours"])


def test_a_whole_hour_a_stopped_one_and_the_running_one(reader: httpx.Client) -> None:
    whole, stopped, running = hours_of(reader, "co")
    assert (whole["good_s"], whole["gaps"], whole["unknown_s"]) == (3600.0, [], 0.0)
    assert stopped["gaps"] == [{"reason": "agent_stopped", "seconds": 1200.0}]
    assert (stopped["good_s"], stopped["bad_s"], stopped["unknown_s"]) == (2400.0, 0.0, 0.0)
    assert (running["expected_s"], running["good_s"], running["unknown_s"]) == (42 * 60.0, 42 * 60.0, 0.0)


def test_received_and_late_samples_are_counted_beside_what_is_expected(reader: httpx.Client) -> None:
    whole, stopped, _ = hours_of(reader, "co")
    assert (whole["expected_samples"], whole["received"], whole["late"]) == (360, 360, 174)
    assert (stopped["expected_samples"], stopped["received"]) == (360, 0)


def test_a_broken_wire_is_bad_and_not_missing(reader: httpx.Client) -> None:
    _, stopped, _ = hours_of(reader, "flue_o2")
    assert (stopped["bad_s"], stopped["received"]) == (66.0, 6)
    assert stopped["gaps"] == [{"reason": "agent_stopped", "seconds": 1134.0}]


def test_the_gaps_that_concern_the_furnace_stand_beside_its_hours(reader: httpx.Client) -> None:
    (gap,) = got(reader)["gaps"]
    assert (gap["device"], gap["reason"], gap["from_ms"], gap["to_ms"]) == (
        "furnace-1", "agent_stopped", STOPPED.from_ms, STOPPED.to_ms,
    )  # fmt: skip


def test_gaps_can_be_asked_for_a_home_and_a_time(reader: httpx.Client) -> None:
    everything = {"from": THIS_HOUR - 99 * HOUR_MS, "to": NOW_MS}
    assert [gap["reason"] for gap in got(reader, "/api/v1/gaps", **everything)] == ["corrupt_file", "agent_stopped"]
    assert [gap["reason"] for gap in got(reader, "/api/v1/gaps")] == ["agent_stopped"]
    assert got(reader, "/api/v1/gaps", home="donghu") == []


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        pytest.param(PATH, {"from": NOW_MS, "to": NOW_MS}, 422, id="no time at all"),
        pytest.param(PATH, {"from": NOW_MS - 8 * 24 * HOUR_MS, "to": NOW_MS}, 422, id="more than a week"),
        pytest.param(PATH.replace("furnace-1", "furnace-9"), {}, 404, id="no such furnace"),
        pytest.param("/api/v1/gaps", {"home": "nowhere"}, 404, id="no such home"),
        pytest.param("/api/v1/gaps", {"from": 0}, 422, id="gaps of all time"),
    ],
)
def test_what_cannot_be_answered(reader: httpx.Client, path: str, params: dict[str, int], status: int) -> None:
    answer = reader.get(path, params={"from": THIS_HOUR, "to": NOW_MS, **params})
    assert (answer.status_code, set(answer.json())) == (status, {"error", "detail"})


def words(reader: httpx.Client, lang: str, path: str = PAGE) -> str:
    """What a person reads."""
    html = reader.get(path, headers={"Accept-Language": lang}).text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_says_in_words_what_is_missing_and_why(reader: httpx.Client) -> None:
    read = words(reader, "en")
    assert "Completeness 24 hours from 2026-03-09 11:00" in read
    assert re.search(r"Carbon monoxide \S+ % 360 8,\d{3} 174 .*the agent was not running", read)
    assert "2026-03-10 09:00:00 – 09:19:59 (19 min) furnace-1 the agent was not running" in read
    assert "no usable value" in read


def test_the_page_speaks_chinese(reader: httpx.Client) -> None:
    read = words(reader, "zh")
    assert "数据完整性 2026-03-09 11:00 起 24 小时" in read
    assert "采集程序未运行" in read
    assert "无有效值" in read


def test_a_strip_says_in_words_what_it_shows(reader: httpx.Client) -> None:
    html = reader.get(PAGE, headers={"Accept-Language": "en"}).text
    strips = re.findall(r'<svg class="strip"[^>]*aria-label="([^"]+)"', html)
    assert len(strips) == len(VALUES)
    assert any(label.startswith("Carbon monoxide") and "the agent was not running" in label for label in strips)


def test_the_day_before_can_be_seen(reader: httpx.Client) -> None:
    html = reader.get(PAGE, headers={"Accept-Language": "en"}).text
    (earlier,) = re.findall(r'href="([^"]+\?until=\d+)">Day before', html)
    assert "24 hours from 2026-03-08 11:00" in words(reader, "en", earlier)


def test_the_page_of_the_data_lists_what_never_came(reader: httpx.Client) -> None:
    read = words(reader, "en", "/data")
    assert "Beishan Funeral Home / furnace-1 the agent was not running" in read
    assert "unknown – 2026-03-09 04:00:00 Beishan Funeral Home / all of edge gateway storage of the edge" in read
