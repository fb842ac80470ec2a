"""The service's page in a real browser: the application behind its own server, and the system's Chromium."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from ingest_service.api.app import create_app
from ingest_service.api.server import ApiServer
from tests.support.city import City
from tests.support.visitors import Visiting, engineer_of
from tests.support.waiting import PATIENCE_S, wait_until

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=PATIENCE_S * 1000)


@contextmanager
def served(city: City, homes: Sequence[str] | None = None) -> Iterator[str]:
    """The city's page behind the service's own server on a free port; its address.

    Whoever asks is the one who sits at this machine, or an engineer of these homes.
    """
    context = city.context()
    app = create_app(context)
    if homes is not None:
        app.add_middleware(Visiting, session=engineer_of(city, homes))
    server = ApiServer(app, context)
    listener = server.listen()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), name="api")
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        thread.join(timeout=60)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        try:
            yield browser
        finally:
            browser.close()


class Observed:
    """A page and whatever went wrong on it: errors in its console, failed requests, requests to other hosts."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = address
        self.troubles: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", self._watch)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(message.text)

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self._address, "data:")):
            self.troubles.append(f"request to {request.url}")


@contextmanager
def opened(
    browser: Browser, address: str, width: int = 1280, locale: str = "zh-CN", dark: bool = False, script: bool = True
) -> Iterator[Observed]:
    """A fresh page of that width, language and colour scheme."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        locale=locale,
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        base_url=address,
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    try:
        yield Observed(context.new_page(), address)
    finally:
        context.close()


def picture(page: Page, folder: Path, name: str) -> Path:
    """A picture of the whole page."""
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
