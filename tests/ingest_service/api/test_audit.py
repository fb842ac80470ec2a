"""Who did what: on the page and in the interface, for those who may audit, as far as they may."""

import csv
import io
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from ingest_service.audit.chain import Record, faults
from ingest_service.audit.entry import Action, Entry
from ingest_service.config import Http
from ingest_service.people.roles import Role
from tests.support.browser import served
from tests.support.city import NOW_MS, City, small_city
from tests.support.visitors import visitor

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, str]]:
    """A city in which something was done, and its address."""
    with small_city(tmp_path_factory.mktemp("audited"), Http(port=0)) as city, served(city) as address:
        for number in range(120):
            city.trail.record(entry(NOW_MS - number * 60_000, subject=f"alarm {number}"))
        city.trail.record(entry(NOW_MS - 2 * DAY_MS, who="zhao <b>", home="donghu", why="dosing_restored: valve 3"))
        city.trail.record(entry(NOW_MS, action="from_a_later_version", before='{"a":1}', after='{"a":2}'))
        yield city, address


def entry(at_ms: int, **fields: str) -> Entry:
    said = {"who": "li", "address": "10.0.0.7", "action": Action.ALARM_ACKNOWLEDGED, "subject": "alarm 1"}
    return Entry(at_ms=at_ms, **{**said, "home": "beishan", **fields})


@pytest.fixture(scope="module")
def auditor(audited: tuple[City, str]) -> Iterator[httpx.Client]:
    """Who may audit everything."""
    with reader(audited, Role.AUDITOR, "all") as client:
        yield client


def reader(audited: tuple[City, str], role: Role, node: str) -> httpx.Client:
    city, address = audited
    return httpx.Client(base_url=address, cookies={"session": visitor(city, role, node)}, timeout=60)


def numbers(client: httpx.Client, **asked: str | int) -> list[int]:
    answer = client.get("/api/v1/audit", params=asked)
    assert answer.status_code == 200, answer.text
    return [record["number"] for record in answer.json()]


def test_the_newest_come_first_and_older_ones_on_demand(auditor: httpx.Client) -> None:
    first = numbers(auditor, limit=50)
    assert first == sorted(first, reverse=True)
    assert numbers(auditor, limit=3, before=first[-1]) == [first[-1] - 1, first[-1] - 2, first[-1] - 3]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"who": "zhao <b>"}, 1),
        ({"text": "VALVE"}, 1),
        ({"action": "from_a_later_version"}, 1),
        ({"who": "li", "from": NOW_MS - 60_000, "to": NOW_MS}, 1),
        ({"who": "nobody"}, 0),
    ],
)
def test_a_filter_finds_what_it_names(auditor: httpx.Client, asked: dict[str, str | int], count: int) -> None:
    assert len(numbers(auditor, **asked)) == count


def test_an_auditor_of_one_home_sees_what_concerns_it_and_nothing_of_others(audited: tuple[City, str]) -> None:
    with reader(audited, Role.AUDITOR, "home:donghu") as client:
        found = client.get("/api/v1/audit").json()
        assert {record["home"] for record in found} == {"donghu"}
        assert numbers(client, who="li") == []
        assert "beishan" not in client.get("/api/v1/audit/export").text
        page = client.get("/audit?lang=en").text
        assert "beishan" not in page
        assert "End of the trail" not in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ENGINEER, Role.SUPERVISOR])
@pytest.mark.parametrize("path", ["/audit", "/api/v1/audit", "/api/v1/audit/export"])
def test_nobody_else_sees_it(audited: tuple[City, str], role: Role, path: str) -> None:
    with reader(audited, role, "all") as client:
        assert client.get(path).status_code == 403


def test_the_export_proves_itself_and_is_recorded(audited: tuple[City, str], auditor: httpx.Client) -> None:
    answer = auditor.get("/api/v1/audit/export?format=json")
    records = msgspec.json.decode(answer.content, type=list[Record])
    assert list(faults(records, [audited[0].trail.head()])) == []
    assert records[-1].entry.action == Action.TRAIL_EXPORTED
    assert 'filename="audit-trail.json"' in answer.headers["Content-Disposition"]


def test_the_csv_holds_what_the_filter_finds(auditor: httpx.Client) -> None:
    answer = auditor.get("/api/v1/audit/export", params={"who": "zhao <b>"})
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [line["why"] for line in lines] == ["dosing_restored: valve 3"]


def test_the_page_shows_who_what_and_why_in_words(auditor: httpx.Client) -> None:
    page = auditor.get("/audit", params={"lang": "en", "who": "zhao <b>"}).text
    assert "alarm acknowledged" in page
    assert "Dosing restored: valve 3" in page
    assert "zhao &lt;b&gt;" in page
    assert "zhao <b>" not in page


def test_the_page_leads_to_older_records_under_the_same_filter(auditor: httpx.Client) -> None:
    page = auditor.get("/audit", params={"lang": "en", "who": "li"}).text
    assert page.count('id="record-') == 100
    assert "/audit?who=li&amp;before=" in page
    assert "/api/v1/audit/export?format=csv&amp;who=li" in page


def test_days_are_those_of_the_site_and_counted_in(audited: tuple[City, str], auditor: httpx.Client) -> None:
    clock = f"{NOW_MS - 2 * DAY_MS}"
    zhao = auditor.get("/api/v1/audit", params={"who": "zhao <b>"}).json()[0]
    assert zhao["at_ms"] == int(clock)
    page = auditor.get("/audit", params={"who": "zhao <b>", "since": "2000-01-01", "until": "2100-01-01"}).text
    assert page.count('id="record-') == 1
    assert auditor.get("/audit", params={"who": "zhao <b>", "since": "2100-01-01"}).text.count('id="record-') == 0
    assert auditor.get("/audit", params={"since": "no day"}).status_code == 200


def test_an_action_of_a_later_version_is_shown_as_it_is(auditor: httpx.Client) -> None:
    page = auditor.get("/audit", params={"action": "from_a_later_version"}).text
    assert "from_a_later_version" in page
    assert "a: 1 → a: 2" in page


def test_an_alarms_state_stands_in_words(audited: tuple[City, str], auditor: httpx.Client) -> None:
    city, _ = audited
    city.trail.record(entry(NOW_MS + 1, before='{"state":"active_unacknowledged"}', after='{"state":"closed"}'))
    assert "Unacknowledged → Finished" in auditor.get("/audit?lang=en").text
    assert "未确认 → 已结束" in auditor.get("/audit?lang=zh").text
    auditor.cookies.delete("lang")


def test_an_acknowledgement_is_in_the_trail_with_name_address_and_reason(audited: tuple[City, str]) -> None:
    city, _ = audited
    with reader(audited, Role.ENGINEER, "all") as client:
        alarm = client.get("/api/v1/alarms").json()[0]
        answer = client.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", json={"note": "seen on site"})
        assert answer.status_code == 200, answer.text
    record = city.trail.newest(limit=1)[0].entry
    assert (record.action, record.subject) == (Action.ALARM_ACKNOWLEDGED, f"alarm {alarm['id']}")
    assert (record.home, record.why, record.address) == (alarm["home_id"], "seen on site", "127.0.0.1")
    assert record.who.startswith("Visitor")
    assert record.before != record.after


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        (
            f"/api/v1/homes/donghu/furnaces/furnace-1/export?from={NOW_MS - 60_000}&to={NOW_MS}",
            "furnace donghu/furnace-1",
        ),
        ("/api/v1/homes/donghu/reports/day/2026-11-20?format=csv", "report "),
    ],
)
def test_a_file_of_data_is_in_the_trail(audited: tuple[City, str], path: str, subject: str) -> None:
    with reader(audited, Role.VIEWER, "all") as client:
        assert client.get(path).status_code == 200
    record = audited[0].trail.newest(limit=1)[0].entry
    assert (record.action, record.home) == (Action.EXPORTED, "donghu")
    assert record.subject.startswith(subject)
