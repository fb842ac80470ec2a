import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge_agent import reload as reload_module
from edge_agent.config import Site
from edge_agent.errors import OutboxError
from edge_agent.reload import Reloader
from edge_agent.site_files import SiteFiles
from tests.edge_agent.sites import SITE, write_site
from tests.support.waiting import until

LOOK_S = 0.05
Story = Callable[[Reloader, list[str]], Awaitable[None]]


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload_module, "LOOK_S", LOOK_S)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path)


def play(site: Path, story: Story, disk_refuses: int = 0, refusal: str = "") -> list[dict[str, object]]:
    """Run a story beside a reloader whose user notes the edges that it is given; returns what was logged."""
    used: list[str] = []
    left = disk_refuses

    async def use(found: Site) -> None:
        nonlocal left
        if left:
            left -= 1
            raise OutboxError("the disk is full")
        used.append(found.edge)

    async def scene() -> None:
        reloader = Reloader(site, use, refusal)
        task = asyncio.create_task(reloader.run(), name="reload")
        await story(reloader, used)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    with capture_logs() as said:
        asyncio.run(scene())
    return [dict(line) for line in said]


def rename_edge(site: Path, edge: str, more: str = "") -> None:
    site.write_text(SITE.replace("{port}", "502").replace("edge1", edge) + more, encoding="utf-8")


def misspell(site: Path) -> None:
    site.write_text(SITE.replace("{port}", "502").replace("unit_id", "unitid"), encoding="utf-8")


def remove(site: Path) -> None:
    site.unlink()


def test_a_changed_file_is_taken_up(site: Path) -> None:
    async def story(reloader: Reloader, used: list[str]) -> None:
        rename_edge(site, "edge2")
        await until(lambda: used == ["edge2"])
        rename_edge(site, "edge3")
        await until(lambda: used == ["edge2", "edge3"])
        await until(lambda: (reloader.accepted_total, reloader.refused_total, reloader.refusal) == (2, 0, ""))

    assert play(site, story) == []


def test_a_file_that_is_being_written_is_left_until_it_stands_still(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []
    look = SiteFiles.look

    def noted(files: SiteFiles) -> bool:
        looks.append(look(files))
        return looks[-1]

    monkeypatch.setattr(SiteFiles, "look", noted)

    async def story(reloader: Reloader, used: list[str]) -> None:
        for line in range(1, 11):
            rename_edge(site, "edge2", "\n[broken" + "x" * line)
            await until(lambda seen=line: sum(looks) == seen)  # type: ignore[misc]
        rename_edge(site, "edge2")
        await until(lambda: used == ["edge2"])
        assert reloader.refused_total == 0

    play(site, story)


def test_a_wrong_file_is_refused_with_one_line_and_taken_up_when_it_is_right(site: Path) -> None:
    async def story(reloader: Reloader, used: list[str]) -> None:
        misspell(site)
        await until(lambda: reloader.refusal)
        assert 'did you mean "unit_id"?' in reloader.refusal
        for asked in (2, 3, 4):
            reloader.ask()
            await until(lambda times=asked: reloader.refused_total == times)  # type: ignore[misc]
        assert used == []
        rename_edge(site, "edge2")
        await until(lambda: used == ["edge2"] and not reloader.refusal)

    [said] = play(site, story)
    assert (said["event"], said["log_level"]) == ("site_file_refused", "error")
    assert str(said["error"]).startswith(f'{site}: device[1] "furnace1".unitid: unknown key')


def test_a_file_that_is_gone_is_refused_and_the_old_one_goes_on(site: Path) -> None:
    async def story(reloader: Reloader, used: list[str]) -> None:
        remove(site)
        await until(lambda: "cannot be read" in reloader.refusal)
        assert used == []

    play(site, story)


def test_who_asks_gets_the_file_read_at_once_even_if_it_did_not_change(site: Path) -> None:
    async def story(reloader: Reloader, used: list[str]) -> None:
        reloader.ask()
        await until(lambda: used == ["edge1"])

    play(site, story)


def test_while_the_disk_refuses_a_right_file_is_tried_again_and_again(site: Path) -> None:
    async def story(reloader: Reloader, used: list[str]) -> None:
        rename_edge(site, "edge2")
        await until(lambda: used == ["edge2"])
        assert reloader.refused_total == 3
        await until(lambda: not reloader.refusal)

    assert len(play(site, story, disk_refuses=3)) == 1


def test_a_refusal_from_before_stands_until_a_file_is_taken_up(site: Path) -> None:
    async def story(reloader: Reloader, used: list[str]) -> None:
        assert reloader.refusal == "the outbox cannot be opened"
        rename_edge(site, "edge2")
        await until(lambda: used and not reloader.refusal)

    play(site, story, refusal="the outbox cannot be opened")
