"""The live stream as a browser reads it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from edge_agent.wire.sample import Reason
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api import stream
from ingest_service.api.context import EVERYTHING
from ingest_service.api.errors import NotFound
from ingest_service.api.page.texts import texts
from ingest_service.store.overview import Scope
from tests.support.browser import served
from tests.support.city import NOW_MS, VALUES, City, add_furnace, stuck


@pytest.fixture(autouse=True)
def quick_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events four times a second, so that a test waits less."""
    monkeypatch.setattr(stream, "EVERY_S", 0.25)


def events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Name and data of each event."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def following(found: Iterator[tuple[str, Any]], name: str) -> Any:
    """The data of the next event of that name."""
    return next(data for kind, data in found if kind == name)


def test_the_first_event_holds_every_value_of_the_furnace_in_the_readers_words(
    city: City, client: httpx.Client
) -> None:
    with client.stream("GET", "/api/v1/stream", params={"furnace": city.furnaces[0].id, "lang": "en"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        first = following(events(response), "values")
    shown = {one["shown"]["quantity"]: one for one in first["values"]}
    assert len(first["values"]) == len(VALUES)
    assert first["now_ms"] == NOW_MS
    assert shown["phase"]["shown"]["text"] == "Main burn"
    assert shown["co"]["value"] == 42.7
    assert {"text": "42.7", "unit": "mg/m³", "trust": "live"}.items() <= shown["co"]["shown"].items()


def test_later_events_hold_what_changed_and_only_the_newest_of_it(own_city: City, own_client: httpx.Client) -> None:
    furnace = own_city.furnaces[0]
    with own_client.stream("GET", "/api/v1/stream", params={"furnace": furnace.id}) as response:
        found = events(response)
        following(found, "values")
        own_city.measure(furnace, {"co": 50.0, "so2": Reason.TIMEOUT}, age_ms=200)
        own_city.measure(furnace, {"co": 61.5}, age_ms=100)
        changed = next(data["values"] for kind, data in found if kind == "values" and data["values"])
    said = {one["shown"]["quantity"]: one["shown"]["text"] for one in changed}
    assert said == {"co": "61.5", "so2": "设备无应答"}


def test_an_overview_is_told_only_what_its_tiles_show(client: httpx.Client) -> None:
    with client.stream("GET", "/api/v1/stream", params={"home": "donghu"}) as response:
        first = following(events(response), "values")
    shown = [one["shown"]["quantity"] for one in first["values"]]
    assert sorted(set(shown)) == ["chamber2_temperature", "flue_o2", "phase"]
    assert len(shown) == 6


def test_alarms_are_told_once_and_again_when_one_takes_a_step(own_city: City, own_client: httpx.Client) -> None:
    with own_client.stream("GET", "/api/v1/stream", params={"lang": "en"}) as response:
        found = events(response)
        first = following(found, "alarms")
        assert first["open"] == 1
        (alarm,) = own_city.observe(stuck(own_city.furnaces[1], NOW_MS - 70_000))
        news = following(found, "alarms")
        assert (news["open"], news["worst"], news["newest_id"]) == (2, "high", alarm)
        assert news["step"] > first["step"]
        assert "stuck at 42.7 mg/m³" in news["newest"]
        own_city.alarms.acknowledge(alarm, "李敏", "", NOW_MS)
        assert following(found, "alarms")["newest_id"] == 1


def test_a_furnace_that_comes_later_is_told_too(own_city: City) -> None:
    context = own_city.context()
    watch = stream.Watch(context, context.reader(EVERYTHING), stream.Followed(None, None), texts(Locale.ZH))
    before = len(watch.values().values)
    add_furnace(own_city, "nanping", "furnace-3", 3)
    assert watch.values().values == [], "not looked for at every step"
    own_city.now_ms += stream.LOOK_AGAIN_MS + 1
    own_city.measure(own_city.furnaces[-1], {"flue_o2": 8.0})
    assert [one.shown.text for one in watch.values().values] == ["8.0"]
    assert before == 21


def test_streams_end_when_the_service_stops(own_city: City) -> None:
    with served(own_city) as address, httpx.Client(base_url=address, timeout=60) as client:
        with client.stream("GET", "/api/v1/stream") as response:
            found = events(response)
            following(found, "values")
            own_city.closing.set()
            assert len(list(found)) <= 3, "the stream ends by itself"
        assert client.get("/healthz").status_code == 200


def test_there_is_an_end_to_streams(own_city: City, own_client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_STREAMS", 1)
    with own_client.stream("GET", "/api/v1/stream") as response:
        found = events(response)  # kept: what is let go of closes the stream
        following(found, "values")
        refused = own_client.get("/api/v1/stream")
        assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")


def test_a_reader_who_may_see_less_is_told_of_less_from_then_on(own_city: City) -> None:
    context = own_city.context()
    both, less = (context.reader(Scope(frozenset(homes))) for homes in (("beishan", "donghu"), ("donghu",)))
    watch = stream.Watch(context, both, stream.Followed(None, None), texts(Locale.EN))
    assert len(watch.values().values) == 15
    first = watch.alarms()
    assert first is not None
    assert first.open == 1
    watch.see(less)
    own_city.measure(own_city.furnaces[0], {"flue_o2": 8.0})
    own_city.measure(own_city.furnaces[3], {"flue_o2": 9.0})
    assert [one.shown.text for one in watch.values().values] == ["9.0"]
    second = watch.alarms()
    assert second is not None
    assert (second.open, second.newest) == (0, "")


def test_a_home_that_may_not_be_seen_any_more_ends_its_stream(own_city: City) -> None:
    context = own_city.context()
    watch = stream.Watch(context, context.reader(EVERYTHING), stream.Followed("beishan", None), texts(Locale.EN))
    with pytest.raises(NotFound):
        watch.see(context.reader(Scope(frozenset({"donghu"}))))
