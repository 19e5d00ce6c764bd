"""The whole of the spine with JavaScript switched off."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open
from tests.person import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_everything_works_without_script(window: Open) -> None:
    ada = await window(java_script_enabled=False, viewport={"width": 390, "height": 844})
    ben = await window(java_script_enabled=False)
    await ben.follow(ada)

    await ada.goto("/posts/new")
    await ada.page.fill("textarea[name=body]", f"plain words for @{ben.name} #plain")
    await ada.page.click("main form button[type=submit]")
    await ada.page.wait_for_selector("article:has-text('plain words')")

    await ben.goto("/")
    await ben.page.click("article:has-text('plain words') a:has-text('ago'), article time")
    await ben.page.fill("textarea[name=body]", "an answer")
    await ben.page.click("post-composer button[type=submit], main form button[type=submit]")
    await ben.page.wait_for_selector("article:has-text('an answer')")

    await ada.goto("/notifications")
    await ada.page.wait_for_selector(f"article.notification:has-text('{ben.name}')")
    async with ada.page.expect_navigation():
        await ada.page.click("form[action='/notifications/read'] button")
    assert not (await ada.page.title()).startswith("(")

    await ada.goto("/")
    await ada.page.click("article:has-text('plain words') time")
    await ada.page.click("a[href$='/edit']:visible")
    await ada.page.fill("textarea[name=body]", "plainer words")
    await ada.page.click("main form button[type=submit]")
    await ada.page.wait_for_selector("article:has-text('plainer words')")
    await ada.page.click("main a[href$='/delete']:visible")
    await ada.page.wait_for_url("**/delete")
    async with ada.page.expect_navigation():
        await ada.page.click("main form button[type=submit]")
    await ada.goto("/explore")
    assert "plainer words" not in await ada.page.content()

    await ada.goto("/settings/profile")
    await ada.page.fill("[name=display_name]", "Ada L.")
    await ada.page.click("main form button[type=submit]")
    await ada.page.wait_for_selector(".flash-notice")
    await ada.goto(f"/@{ada.name}")
    await ada.page.wait_for_selector("h1:has-text('Ada L.')")


async def test_a_refused_form_comes_back_as_typed(window: Open) -> None:
    visitor = await window(signed_in=False, java_script_enabled=False)
    await visitor.goto("/register")
    await visitor.page.fill("[name=username]", "no spaces please")
    await visitor.page.fill("[name=email]", "me@example.org")
    await visitor.page.fill("[name=password]", PASSWORD)
    await visitor.page.click("main button[type=submit]")
    assert await visitor.page.input_value("[name=username]") == "no spaces please"
    assert await visitor.page.input_value("[name=email]") == "me@example.org"
    assert await visitor.page.input_value("[name=password]") == ""
    assert await visitor.page.locator("[name=username][aria-invalid=true]").count() == 1
