"""A post that goes to X as well, in Chromium: connected over there, switched on below the text, and
followed on the open page until it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe

from tests.browser.conftest import Open, Window
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAGE = "/settings/sharing"


@pytest_asyncio.fixture(loop_scope="package")
async def demo(tmp_path: Path) -> AsyncIterator[SiteProcess]:
    """With its pretend X and Facebook."""
    async with SiteProcess(tmp_path / "data", command="dev", arguments=("--demo",)) as process:
        yield process


async def faults(one: Window) -> list[str]:
    results = await Axe().run(one.page)
    wide = await one.page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return [str(found["id"]) for found in results.response["violations"]] + ["wide"] * wide


async def goes_there(one: Window, back: str) -> None:
    await one.page.wait_for_url("**/x/authorize**")
    await one.page.fill("[name=person]", one.name)
    await one.page.click("button:has-text('Continue')")
    await one.page.wait_for_url(f"{one.url}{back}")


async def connects(one: Window) -> None:
    await one.goto("/settings/identities")
    await one.page.click("button[name=link][value=x]")
    await goes_there(one, "/settings/identities")
    await one.goto(PAGE)
    await one.page.click("button[name=connect][value=x]")
    await goes_there(one, PAGE)
    one.foreign.clear()  # the pages over there


async def is_told_on_the_list(one: Window) -> None:
    """And the switch is still as it was."""
    await one.goto("/")
    assert await one.page.is_checked("main [data-kind=x]")
    await one.post("Bees again")
    await one.page.wait_for_selector("#toast:has-text('Copied to X.')")
    await one.page.go_back()


@pytest.mark.parametrize("script", [True, False])
async def test_it_goes_to_x_and_away_again(window: Open, demo: SiteProcess, script: bool) -> None:
    size = {"width": 390, "height": 844}
    ada = await window(at=demo, viewport=size, java_script_enabled=script)
    await connects(ada)
    if script:
        assert await faults(ada) == []
    await ada.goto("/posts/new")
    await ada.page.check("main [data-kind=x]")
    await ada.page.fill("main textarea", "Bees of the roof garden. " * 12)
    if script:
        end = ada.page.locator("main copy-places output")
        assert (await end.inner_text()).startswith("On X it ends: “…")
        assert (await end.inner_text()).endswith(" roof garden.…”")  # with a whole word
        assert await faults(ada) == []
    await ada.page.click("main form button[type=submit]")
    await ada.page.wait_for_url(f"{ada.url}/@{ada.name}/*")
    while script is False and not await ada.page.locator(".copy[data-state=done]").count():
        await ada.page.reload()
    await ada.page.wait_for_selector(".copy[data-state=done]")
    if script:
        assert await faults(ada) == []
        await is_told_on_the_list(ada)
    await ada.page.click(".focus-tools a[href$='/delete']")
    await ada.page.check("[name=everywhere]")
    await ada.page.click("main form button[type=submit]")
    await ada.page.wait_for_url(f"{ada.url}/@{ada.name}")
