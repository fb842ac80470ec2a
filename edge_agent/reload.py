"""Takes up a changed site file while the agent runs; one that is wrong is refused, and the old one goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

from edge_agent.config import Site, load_site
from edge_agent.errors import ConfigError, OutboxError
from edge_agent.site_files import SiteFiles

LOOK_S = 1.0
_log = structlog.get_logger()


class Reloader:
    """Looks at the files each second. `use` goes over to a site, or raises ConfigError or OutboxError: the old goes on.

    A change is taken up once it has stood still for a second, so that a half-written file is no site. `refusal` says
    why the file as it is now is not in use ("" while it is); `news` is set at each verdict.
    """

    def __init__(self, path: Path, use: Callable[[Site], Awaitable[None]], refusal: str = "") -> None:
        self.accepted_total = self.refused_total = 0
        self.refusal = refusal
        self.news = asyncio.Event()
        self._path, self._use = path, use
        self._files = SiteFiles(path)
        self._asked = asyncio.Event()
        self._is_pending = False

    def ask(self) -> None:
        """Read the files now, changed or not."""
        self._asked.set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()
            if self._is_due():
                await self._reload()

    def _is_due(self) -> bool:
        was_pending, was_asked = self._is_pending, self._asked.is_set()
        self._asked.clear()
        has_changed = self._files.look()
        self._is_pending = has_changed and not was_asked
        return was_asked or (was_pending and not has_changed)

    async def _reload(self) -> None:
        try:
            await self._use(await asyncio.to_thread(load_site, self._path))
        except ConfigError as error:
            self._refuse(error)
        except OutboxError as error:  # the file is right: try again at the next look
            self._is_pending = True
            self._refuse(error)
        else:
            self.accepted_total += 1
            self.refusal = ""
        self.news.set()

    def _refuse(self, error: ConfigError | OutboxError) -> None:
        self.refused_total += 1
        if str(error) != self.refusal:
            _log.error("site_file_refused", error=str(error))
        self.refusal = str(error)
