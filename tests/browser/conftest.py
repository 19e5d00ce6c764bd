"""Chromium against a real server.  Without Chromium these tests are skipped with a plain line,
unless ``REQUIRE_BROWSER=1`` makes that a failure (CI)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.person import PASSWORD
from tests.process import SiteProcess

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@dataclass
class Window:
    """Somebody's browser window, and what went wrong in it."""

    url: str
    name: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        # Chromium reports every refused form and every cut connection; those are wanted here.
        # A page that is left at once closes its socket while it opens, a site that is stopped
        # before its windows are closed those that are coming back.
        wanted = (
            "net::ERR", "responded with a status of 4", "closed before the connection is",
            "closed before receiving a handshake response", "Unexpected response code: 4",
            "HTTP Authentication failed", "status of 502",  # from a test in the place of a proxy
        )  # fmt: skip
        is_wanted = any(words in message.text for words in wanted)
        if message.type in ("error", "warning") and not is_wanted:
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:", self.url.replace("http", "ws"))):
            self.foreign.append(request.url)

    async def goto(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def register(self) -> None:
        await self.goto("/register")
        await self.page.fill("[name=username]", self.name)
        await self.page.fill("[name=email]", f"{self.name}@example.org")
        await self.page.fill("[name=password]", PASSWORD)
        await self.page.click("main button[type=submit]")
        await self.page.wait_for_url(self.url + "/")

    async def follow(self, other: Window) -> None:
        await self.goto(f"/@{other.name}")
        await self.page.click("main form[action$='/follow'] button")
        await self.page.wait_for_selector("main form[action$='/unfollow']")

    async def post(self, text: str) -> None:
        await self.page.fill("post-composer textarea[name=body]", text)
        await self.page.click("post-composer button[type=submit]")

    async def until(self, expression: str, within: float = 30.0) -> None:
        """Wait until `expression` is true in the page.  Playwright's own way evaluates text inside
        the page, which our Content Security Policy forbids."""
        async with asyncio.timeout(within):
            while not await self.page.evaluate(expression):
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Close it.  Chromium now and then never answers when a page of it is just loading; then
        it goes with the browser."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self.context.close()

    async def live(self) -> None:
        """Wait until the page has a live socket and has caught up."""
        await self.page.wait_for_selector(
            "live-state[data-state=live], live-state[data-state=caught-up]"
        )


Open = Callable[..., Awaitable[Window]]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1 and no chromium was found")
        pytest.skip("no chromium found: apt install chromium to run the browser tests")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SiteProcess]:
    async with SiteProcess(tmp_path_factory.mktemp("browser") / "data", command="dev") as process:
        yield process


@pytest_asyncio.fixture(loop_scope="package")
async def window(chromium: Browser, site: SiteProcess) -> AsyncIterator[Open]:
    """Open somebody's window.  At the end: no complaint in any console, no request to a
    stranger."""
    windows: list[Window] = []

    async def open_one(*, signed_in: bool = True, at: SiteProcess = site, **options: Any) -> Window:
        viewport = options.pop("viewport", {"width": 1280, "height": 800})
        options.setdefault("locale", "en-US")
        context = await chromium.new_context(viewport=viewport, **options)
        context.set_default_timeout(30_000)
        one = Window(at.url, f"w{secrets.token_hex(4)}", context, await context.new_page())
        one.listen()
        windows.append(one)
        if signed_in:
            await one.register()
        return one

    yield open_one
    for one in windows:
        await one.close()
    assert [c for one in windows for c in one.complaints] == []
    assert [f for one in windows for f in one.foreign] == []
