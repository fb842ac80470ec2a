from pathlib import Path

import pytest

from edge_agent.config import load_site
from edge_agent.site_plan import SitePlan, is_same_node, loses_tags, plan_site, touched_connections
from tests.edge_agent.sites import SITE, write_site

SECOND_LINE = """
[[connection]]
name = "other"
host = "127.0.0.2"
[[device]]
name = "analyser"
furnace = "1"
connection = "other"
profile = "furnace.toml"
"""
TWO_LINES = SITE + SECOND_LINE


def planned(folder: Path, site: str, before: SitePlan | None = None, counter: str = "") -> SitePlan:
    return plan_site(load_site(write_site(folder, site=site, counter=counter)), before)


CHANGES = [
    ("nothing", "", "", set()),
    ("another port", "{port}", "1502", {"plc"}),
    ("another timeout of the second line", 'host = "127.0.0.2"', 'host = "127.0.0.2"\ntimeout_s = 2', {"other"}),
    ("another deadband of one device", "deadband = 0.5", "deadband = 0.7", {"plc"}),
    ("another unit of the second line", 'connection = "other"', 'connection = "other"\nunit_id = 7', {"other"}),
    ("a device moved to the other line", 'furnace = "1"\nconnection = "plc"', 'furnace = "1"\nconnection = "other"',
     {"plc", "other"}),
    ("a line and its device gone", SECOND_LINE, "", {"other"}),
    ("another name of the home", "松鹤殡仪馆", "松鹤", set()),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "touched"), [change[1:] for change in CHANGES], ids=[c[0] for c in CHANGES])
def test_only_the_connections_that_a_change_concerns_are_touched(
    tmp_path: Path, old: str, new: str, touched: set[str]
) -> None:
    before = planned(tmp_path, TWO_LINES)
    assert old in TWO_LINES
    after = planned(tmp_path, TWO_LINES.replace(old, new, 1) if old else TWO_LINES, before)
    assert touched_connections(before, after) == touched
    assert is_same_node(before.site, after.site)


def test_a_changed_profile_touches_the_connections_of_all_its_devices(tmp_path: Path) -> None:
    before = planned(tmp_path, TWO_LINES)
    assert touched_connections(before, planned(tmp_path, TWO_LINES, before, "scan_s = 2")) == {"plc", "other"}


def test_a_device_more_changes_no_alias_and_no_birth_of_the_others(tmp_path: Path) -> None:
    before = planned(tmp_path, SITE)
    first = SITE.replace("[[device]]", SECOND_LINE + "[[device]]", 1)
    after = planned(tmp_path, first, before)
    assert [tags.device.name for tags in after.tagged] == ["analyser", "furnace1", "furnace2"]
    assert after.tagged[1:] == before.tagged
    assert all(after.births.devices[name] == birth for name, birth in before.births.devices.items())
    assert not loses_tags(before, after)
    assert loses_tags(after, before)


def test_a_channel_that_is_left_out_is_a_tag_that_is_lost(tmp_path: Path) -> None:
    before = planned(tmp_path, SITE)
    profile = tmp_path / "furnace.toml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text[: text.rindex("[[channel]]")], encoding="utf-8")
    after = plan_site(load_site(tmp_path / "site.toml"), before)
    assert loses_tags(before, after)
    assert not loses_tags(after, before)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('home = "songhe"', 'home = "qingshan"'),
        ('edge = "edge1"', 'edge = "edge2"'),
        ('ca_file = "ca.pem"', "port = 8883"),
        ("[broker]", "[outbox]\nmax_mb = 5\n[broker]"),
        ("[broker]", '[clock]\nsynchronisation = "unwatched"\n[broker]'),
    ],
)
def test_another_identity_broker_outbox_or_clock_makes_another_node(tmp_path: Path, old: str, new: str) -> None:
    before = planned(tmp_path, SITE)
    assert not is_same_node(before.site, planned(tmp_path, SITE.replace(old, new, 1)).site)


def test_a_device_is_read_as_often_as_its_most_frequent_channel(tmp_path: Path) -> None:
    site = planned(tmp_path, SITE, counter="scan_s = 0.5")
    assert site.periods_ms == {"furnace1": 500, "furnace2": 500}
