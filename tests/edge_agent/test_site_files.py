import os
from pathlib import Path

import pytest

from edge_agent.site_files import SiteFiles
from tests.edge_agent.sites import SITE, write_site


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path)


def test_files_that_nobody_touched_have_not_changed(site: Path) -> None:
    files = SiteFiles(site)
    assert [files.look(), files.look()] == [False, False]


@pytest.mark.parametrize("name", ["site.toml", "furnace.toml"])
def test_a_change_of_the_site_file_or_of_a_profile_beside_it_is_seen_once(site: Path, name: str) -> None:
    files = SiteFiles(site)
    path = site.with_name(name)
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert [files.look(), files.look()] == [True, False]


def test_a_change_that_keeps_size_and_date_to_the_second_is_seen(site: Path) -> None:
    files = SiteFiles(site)
    before = site.stat()
    site.write_text(site.read_text(encoding="utf-8").replace("edge1", "edge2"), encoding="utf-8")
    os.utime(site, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert site.stat().st_size == before.st_size
    assert files.look()


def test_a_new_date_without_new_content_is_no_change(site: Path) -> None:
    files = SiteFiles(site)
    os.utime(site, ns=(1, 1))
    assert not files.look()


def test_a_file_that_is_replaced_by_another_is_seen(site: Path) -> None:
    files = SiteFiles(site)
    fresh = site.with_name("new")
    fresh.write_text(SITE.replace("edge1", "edge9"), encoding="utf-8")
    fresh.replace(site)
    assert files.look()


def test_a_file_that_goes_and_comes_back_is_two_changes(site: Path) -> None:
    files, text = SiteFiles(site), site.read_text(encoding="utf-8")
    site.unlink()
    assert [files.look(), files.look()] == [True, False]
    site.write_text(text, encoding="utf-8")
    assert [files.look(), files.look()] == [True, False]


def test_a_profile_that_the_file_names_only_now_is_watched_from_now_on(site: Path) -> None:
    files = SiteFiles(site)
    other = site.with_name("other.toml")
    other.write_bytes(site.with_name("furnace.toml").read_bytes())
    site.write_text(site.read_text(encoding="utf-8").replace("furnace.toml", "other.toml"), encoding="utf-8")
    assert files.look()
    other.write_bytes(other.read_bytes() + b"\n")
    assert files.look()
    site.with_name("furnace.toml").unlink()
    assert not files.look()


@pytest.mark.parametrize("content", [b"[site", b"\xff\xfe", b"device = 5", b"device = [5, {profile = 7}]"])
def test_of_a_file_that_makes_no_sense_every_change_is_seen(site: Path, content: bytes) -> None:
    site.write_bytes(content)
    files = SiteFiles(site)
    assert not files.look()
    site.write_bytes(content + b"\n")
    assert files.look()
