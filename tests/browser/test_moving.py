"""Leaving with one's data, and arriving with it on another site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe

from tests.browser.conftest import Open, Window
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SiteProcess]:
    """Another site, where nobody is anybody yet."""
    folder = tmp_path_factory.mktemp("elsewhere") / "data"
    async with SiteProcess(folder, command="dev") as process:
        yield process


async def test_what_one_had_goes_along_to_another_site(
    window: Open, elsewhere: SiteProcess, tmp_path: Path
) -> None:
    ada = await window()
    bob = await window()
    await has_a_life(ada, bob)
    zipped = await fetched(ada, tmp_path)
    before = await profile(ada)

    there = await window(signed_in=False, at=elsewhere)
    there.name = ada.name
    await there.register()
    reader = await window(signed_in=False, at=elsewhere)
    reader.name = bob.name
    await reader.register()
    await reader.follow(there)
    await reader.goto("/")
    await reader.live()

    await there.goto("/settings/import")
    await there.page.set_input_files("#archive", zipped)
    await there.page.click("form[action$='/archive'] button")
    await there.page.wait_for_selector("text=Bring them along")
    assert await accessible(there) == []
    await there.page.click("main form[action] button:has-text('Bring them along')")
    # The page says so by itself, when it is done.
    await there.page.wait_for_selector("text=2 posts brought along")
    assert await accessible(there) == []
    assert "1 more person" in await there.page.inner_text("main")
    await there.page.click("text=See the whole report")
    await there.page.wait_for_selector("text=answers somebody else")

    assert await profile(there) == before
    await there.page.click("article:has-text('an afterthought') time")
    await there.page.wait_for_selector("article:has-text('a thought about')")
    # Who follows her there was told of nothing, and nothing has come on top.
    assert not await reader.page.is_visible(".pill:not([hidden])")
    assert await reader.page.locator("article.post").count() == 0


async def test_it_can_be_taken_back_without_script(
    window: Open, elsewhere: SiteProcess, tmp_path: Path
) -> None:
    ada = await window()
    await ada.goto("/")
    await ada.post("words that were a mistake")
    await ada.page.wait_for_selector("article:has-text('a mistake')")
    zipped = await fetched(ada, tmp_path)
    there = await window(
        signed_in=False, at=elsewhere, java_script_enabled=False,
        viewport={"width": 390, "height": 844},
    )  # fmt: skip
    await there.register()
    await there.goto("/settings/import")
    await there.page.set_input_files("#archive", zipped)
    await there.page.click("form[action$='/archive'] button")
    await there.page.click("main form[action] button:has-text('Bring them along')")
    await looked_again_until(there, "1 post brought along")
    await there.page.click("form[action$='/undo'] button")
    await looked_again_until(there, "1 post deleted again")
    await there.goto(f"/@{there.name}")
    assert "a mistake" not in await there.page.inner_text("main")


async def has_a_life(ada: Window, bob: Window) -> None:
    await ada.goto("/settings/profile")
    await ada.page.fill("[name=display_name]", "Ada Lovelace")
    await ada.page.fill("[name=bio]", "Poetical science.")
    await ada.page.click("main form:has([name=bio]) button[type=submit]")
    await ada.page.wait_for_selector(".flash-notice")
    await ada.goto("/")
    await ada.post("a thought about #engines")
    await ada.page.wait_for_selector("article:has-text('a thought about')")
    await ada.page.click("article:has-text('a thought about') time")
    await ada.page.fill("#reply", "an afterthought")
    await ada.page.click(".reply button[type=submit]")
    await ada.page.wait_for_selector("article:has-text('an afterthought')")
    await bob.goto("/")
    await bob.post("bob says something")
    await bob.page.wait_for_selector("article:has-text('bob says')")
    await ada.follow(bob)
    await ada.page.click("article:has-text('bob says') time")
    await ada.page.fill("#reply", "ada agrees with bob")
    await ada.page.click(".reply button[type=submit]")
    await ada.page.wait_for_selector("article:has-text('ada agrees')")


async def fetched(window: Window, folder: Path) -> Path:
    """The copy, once the open page says that it is ready."""
    await window.goto("/settings/export")
    await window.page.click("main form[action='/settings/export'] button")
    async with window.page.expect_download() as coming:
        await window.page.click("a:has-text('Fetch it')")
    kept = folder / "copy.zip"
    await (await coming.value).save_as(kept)
    return kept


async def profile(window: Window) -> list[tuple[str, str]]:
    """What others see of somebody: dates, and words of posts that are not answers to others."""
    await window.goto(f"/@{window.name}")
    head = await window.page.inner_text("main")
    assert "Ada Lovelace" in head
    assert "Poetical science." in head
    found = []
    for article in await window.page.locator("article.post").all():
        words = await article.locator(".post-body").inner_text()
        at = await article.locator("time").get_attribute("datetime")
        if "agrees with bob" not in words:
            found.append((str(at), words))
    return found


async def accessible(window: Window) -> list[str]:
    results = await Axe().run(window.page)
    return [f"{v['id']} {v['nodes'][0]['html'][:120]}" for v in results.response["violations"]]


async def looked_again_until(window: Window, words: str) -> None:
    for _ in range(100):
        if words in await window.page.inner_text("main"):
            return
        await window.page.wait_for_timeout(100)
        await window.page.reload()
    raise AssertionError(words)
