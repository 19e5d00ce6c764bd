"""Two people: one asks to follow, the other lets in; the page that is open shows the next post."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.conftest import Open, Window
from tests.browser.test_every_page import check as checked

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def check(window: Window, paths: tuple[str, ...]) -> list[str]:
    return await checked(window, {"": paths}, {})


async def test_asking_letting_in_and_removing(window: Open) -> None:
    ada, bob = await window(), await window(viewport={"width": 390, "height": 844})
    await ada.goto("/settings/privacy")
    await ada.page.check("input[value=followers]")
    await ada.page.click("main form button[type=submit]")
    await ada.page.wait_for_selector(".flash:has-text('Saved.')")

    await bob.goto(f"/@{ada.name}")
    await bob.live()
    await bob.page.wait_for_selector("text=These posts are for followers")
    await bob.page.click(".profile-actions >> text=Ask to follow")
    button = bob.page.locator("follow-button[data-following=requested] button")
    assert (await button.inner_text()).startswith("Requested")
    told = "article.notification:has-text('asks to follow you')"
    await news(ada, told, there=True)
    await button.click()  # thinks better of it, and then again
    await news(ada, told, there=False)
    await bob.page.click(".profile-actions >> text=Ask to follow")
    await button.wait_for()

    await news(ada, told, there=True)
    await ada.page.click(f"{told} >> text=Answer")
    paths = ("/follow-requests", "/settings/privacy", "/notifications")
    assert await check(ada, paths) == []
    await ada.goto("/follow-requests")
    await ada.page.click("main button[value=accept]")
    await ada.page.wait_for_selector(f".flash:has-text('@{bob.name} follows you now.')")
    await ada.goto("/")
    await ada.post("for followers alone")
    await bob.page.wait_for_selector(".pill:not([hidden])")
    await bob.page.click(".pill")
    await bob.page.wait_for_selector("article:has-text('for followers alone')")
    assert await check(bob, (f"/@{ada.name}", f"/@{ada.name}/followers")) == []

    await bob.goto("/")
    await bob.live()
    await ada.goto(f"/@{ada.name}/followers")
    await ada.page.click("main form[action$='/remove'] button")
    await bob.until("!document.body.textContent.includes('for followers alone')")
    await bob.goto(f"/@{ada.name}")
    await bob.page.wait_for_selector("text=These posts are for followers")
    assert await check(bob, (f"/@{ada.name}", f"/@{ada.name}/followers")) == []


async def news(window: Window, told: str, *, there: bool) -> None:
    """Visit the notifications until they tell of it, or no more do: a worker writes them."""
    async with asyncio.timeout(30):
        await window.goto("/notifications")
        while bool(await window.page.locator(told).count()) != there:
            await asyncio.sleep(0.1)
            await window.goto("/notifications")
