"""Two people, two windows: what a reader sees while the other writes."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Route

from tests.browser.conftest import Open, Window
from tests.person import PASSWORD
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def shown(window: Window) -> list[str]:
    """Texts of the posts on the page, as they stand."""
    found = await window.page.query_selector_all(".timeline-posts > article .post-body")
    return [(await one.inner_text()).strip() for one in found]


async def two(window: Open) -> tuple[Window, Window]:
    writer, reader = await window(), await window()
    await reader.follow(writer)
    await reader.goto("/")
    await reader.live()
    return writer, reader


async def test_new_posts_wait_behind_a_pill_and_move_nothing(window: Open) -> None:
    writer, reader = await two(window)
    for number in range(8):
        await writer.post(f"older {number}\n\n\n\nwith some height")
        await writer.page.wait_for_selector(f"text=older {number}")
    await reader.goto("/")
    await reader.live()
    await reader.page.evaluate("window.scrollTo(0, 600)")
    await asyncio.sleep(0.3)
    anchor = reader.page.locator(".timeline-posts > article").nth(3)
    before = (await anchor.bounding_box() or {})["y"]
    await reader.page.evaluate(
        "new PerformanceObserver(l => { window.shift = (window.shift || 0) +"
        " l.getEntries().reduce((a, e) => a + e.value, 0) }).observe({type: 'layout-shift'})"
    )
    for text in ("first news", "second news"):
        await writer.post(text)
        await writer.page.wait_for_selector(f"text={text}")
    await reader.page.wait_for_selector(".pill:not([hidden]):has-text('2 new posts')")
    assert (await anchor.bounding_box() or {})["y"] == before
    assert not await reader.page.evaluate("window.shift || 0")
    assert "first news" not in await shown(reader)
    await reader.page.click(".pill")
    await reader.page.wait_for_selector("text=second news")
    assert (await shown(reader))[:2] == ["second news", "first news"]
    assert await reader.page.evaluate("window.scrollY") < 10
    assert await reader.page.locator(".pill").is_hidden()


async def test_posts_are_inserted_at_the_top_by_choice(window: Open) -> None:
    writer, reader = await two(window)
    await reader.goto("/settings/appearance")
    await reader.page.check("[name=feed_mode][value=insert]")
    await reader.page.click("main form button[type=submit]")
    await reader.page.wait_for_selector(".flash-notice")
    await reader.goto("/")
    await reader.live()
    await writer.post("right at the top")
    await reader.page.wait_for_selector(".timeline-posts > article:has-text('right at the top')")
    assert await reader.page.locator(".pill").is_hidden()


async def test_an_edit_replaces_and_a_deletion_leaves_a_tombstone(window: Open) -> None:
    writer, reader = await two(window)
    await writer.post("a typpo")
    await reader.page.click(".pill:not([hidden])")
    article = reader.page.locator(".timeline-posts > article").first
    await article.get_by_text("a typpo").wait_for()
    post_id = (await article.get_attribute("id") or "").removeprefix("post-")
    await writer.goto(f"/posts/{post_id}/edit")
    await writer.page.fill("textarea[name=body]", "no typo")
    await writer.page.click("main form button[type=submit]")
    await writer.page.wait_for_url(f"**/@{writer.name}/{post_id}")
    await reader.page.wait_for_selector(f"#post-{post_id}:has-text('no typo')")
    assert "a typpo" not in await reader.page.content()
    await writer.goto(f"/posts/{post_id}/delete")
    await writer.page.click("main form button[type=submit]")
    await reader.page.wait_for_selector(f"#post-{post_id}:has-text('This post was deleted')")
    assert "no typo" not in await reader.page.content()
    await reader.goto("/")
    assert await reader.page.locator(f"#post-{post_id}").count() == 0


async def test_a_post_reaches_the_other_window_quickly(window: Open) -> None:
    writer, reader = await two(window)
    await writer.post("warm up")
    await reader.page.wait_for_selector(".pill:not([hidden])")
    waits = []
    for number in range(2, 8):
        await writer.page.fill("post-composer textarea[name=body]", f"number {number}")
        pill = f".pill:has-text('{number} new posts')"
        seen = asyncio.ensure_future(reader.page.wait_for_selector(pill))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await writer.page.click("post-composer button[type=submit]")
        await seen
        waits.append((time.monotonic() - began) * 1000)
    median = sorted(waits)[len(waits) // 2]
    print(f"from the click in one window to the pill in the other: {median:.0f} ms, goal 100")
    assert median < 1000  # on a machine with more to do than it has cores; the bench knows better


async def test_counts_follow_in_the_navigation_and_the_title(window: Open) -> None:
    writer, reader = await window(), await window()
    await reader.goto("/explore")
    await reader.live()
    await writer.post(f"hello @{reader.name}")
    await reader.page.wait_for_selector("count-badge:not([hidden]):has-text('1')")
    await reader.until("document.title.startsWith('(1) ')")
    await reader.goto("/notifications")
    await reader.page.wait_for_selector(f"article.notification:has-text('{writer.name}')")
    await reader.page.bring_to_front()
    await reader.until("!document.title.startsWith('(')")


async def test_a_draft_survives_a_reload_and_goes_when_it_is_posted(window: Open) -> None:
    writer = await window()
    await writer.page.fill("post-composer textarea[name=body]", "half a thought")
    await asyncio.sleep(0.6)
    await writer.page.reload()
    field = writer.page.locator("post-composer textarea[name=body]")
    assert await field.input_value() == "half a thought"
    await writer.page.click("post-composer button[type=submit]")
    await writer.page.wait_for_selector(".timeline-posts > article:has-text('half a thought')")
    await writer.page.reload()
    assert await field.input_value() == ""


async def test_a_text_that_could_not_be_sent_is_kept_and_sent_once(window: Open) -> None:
    writer = await window()
    await writer.context.set_offline(True)
    await writer.post("said in a tunnel")
    await writer.page.wait_for_selector("text=Not sent")
    field = writer.page.locator("post-composer textarea[name=body]")
    assert await field.input_value() == "said in a tunnel"
    await writer.context.set_offline(False)
    await writer.page.get_by_role("button", name="Try again").click()
    await writer.page.wait_for_selector(".timeline-posts > article:has-text('said in a tunnel')")
    await writer.page.reload()
    assert (await shown(writer)).count("said in a tunnel") == 1


async def test_another_text_after_a_lost_answer_is_posted_at_the_second_press(
    window: Open,
) -> None:
    writer = await window()

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await writer.page.route("**/posts", lose_the_answer, times=1)
    await writer.post("the first thought")
    await writer.page.wait_for_selector("text=Not sent")
    await writer.post("the second thought")
    await writer.page.wait_for_selector(".field-error:has-text('You sent this form before')")
    field = writer.page.locator("post-composer textarea[name=body]")
    assert await field.input_value() == "the second thought"
    await writer.page.click("post-composer button[type=submit]")
    await writer.page.wait_for_selector(".timeline-posts > article:has-text('second thought')")
    assert await field.input_value() == ""
    await writer.page.reload()
    assert await shown(writer) == ["the second thought", "the first thought"]


async def test_keys_move_through_the_posts_and_open_the_composer(window: Open) -> None:
    writer = await window()
    for text in ("one", "two"):
        await writer.post(text)
        await writer.page.wait_for_selector(f".timeline-posts > article:has-text('{text}')")
    await writer.page.evaluate("document.activeElement.blur()")
    await writer.page.keyboard.press("j")
    focused = "(document.activeElement.closest('article')?.innerText || '')"
    await writer.until(f"{focused}.includes('two')")  # the first key fetches what keys do
    await writer.page.keyboard.press("j")
    assert "one" in await writer.page.evaluate(focused)
    await writer.page.keyboard.press("k")
    assert "two" in await writer.page.evaluate(focused)
    await writer.page.keyboard.press("n")
    assert await writer.page.evaluate("document.activeElement.name") == "body"
    await writer.page.keyboard.type("jk?")
    assert await writer.page.evaluate("document.activeElement.value") == "jk?"
    await writer.page.evaluate("document.activeElement.blur()")
    await writer.page.keyboard.press("?")
    await writer.page.wait_for_selector("dialog[open]:has-text('Keyboard')")
    await writer.page.keyboard.press("Escape")


async def test_the_page_comes_back_after_a_restart_and_shows_what_it_missed(
    window: Open, tmp_path: Path
) -> None:
    async with SiteProcess(tmp_path / "own", command="dev") as site:
        writer, reader = await window(at=site), await window(at=site)
        await reader.follow(writer)
        await reader.goto("/")
        await reader.live()
        for number, kill in enumerate((site.stop, site.kill), start=1):
            await kill()
            await reader.page.wait_for_selector(
                "live-state:not([data-state=live]):not([data-state=caught-up])"
            )
            await site.start()
            await site.ready()
            await writer.goto("/")
            await writer.post(f"after {kill.__name__}")
            mine = f".timeline-posts > article:has-text('after {kill.__name__}')"
            await writer.page.wait_for_selector(mine)  # answered, not only kept
            pill = f".pill:not([hidden]):has-text('{number} new post')"
            await reader.page.wait_for_selector(pill, timeout=40_000)
            await reader.live()
        await reader.page.click(".pill")
        await reader.page.wait_for_selector("text=after kill")
        assert await shown(reader) == ["after kill", "after stop"]


async def test_a_slow_network_shows_everything_once(window: Open) -> None:
    writer, reader = await two(window)
    devtools = await reader.context.new_cdp_session(reader.page)
    slow = {
        "offline": False,
        "latency": 400,
        "downloadThroughput": 20_000,
        "uploadThroughput": 20_000,
    }
    await devtools.send("Network.emulateNetworkConditions", slow)
    await reader.goto("/")
    for number in range(5):
        await writer.post(f"slowly {number}")
        await writer.page.wait_for_selector(f"text=slowly {number}")
    async with asyncio.timeout(30):
        while len(await shown(reader)) < 5:  # the pill as often as it comes
            if await reader.page.locator(".pill").is_visible():
                await reader.page.click(".pill")
            await asyncio.sleep(0.2)
    assert [text for text in await shown(reader) if re.match("slowly", text)] == [
        f"slowly {number}" for number in (4, 3, 2, 1, 0)
    ]


async def test_signing_out_elsewhere_says_so_on_the_open_page(window: Open) -> None:
    reader = await window()
    await reader.live()
    other = await reader.context.new_page()
    await other.goto(reader.url + "/explore")
    async with other.expect_navigation():
        await other.evaluate("document.querySelector('form[action=\"/logout\"]').requestSubmit()")
    await reader.page.wait_for_selector(
        "live-state:not([data-state=live]):not([data-state=caught-up])"
    )
    await reader.page.wait_for_selector("text=/signed out/i")


async def test_where_no_posts_are_shown_only_counts_arrive(window: Open) -> None:
    writer, reader = await two(window)
    heard: list[str] = []

    def hear(frame: object) -> None:
        heard.append(str(frame))

    reader.page.on("websocket", lambda socket: socket.on("framereceived", hear))
    for path in ("/settings/profile", "/notifications"):
        heard.clear()
        await reader.goto(path)
        async with asyncio.timeout(15):
            while "caught_up" not in "".join(heard):
                await asyncio.sleep(0.05)
        await writer.post(f"for those at home, not at {path}")
        await writer.page.wait_for_selector(f"text=not at {path}")
        await writer.post(f"@{reader.name} look at {path}")
        await reader.until("document.title.startsWith('(')")
        assert "for those at home" not in "".join(heard)


async def test_who_leaves_is_gone_from_the_open_profile_too(window: Open) -> None:
    bob = await window()
    ada = await window(signed_in=False)
    await bob.goto("/settings/profile")
    await bob.page.fill("[name=bio]", "Keeps bees.")
    await bob.page.click("form[action='/settings/profile'] button[type=submit]")
    await bob.page.wait_for_selector(".flash")
    await ada.goto(f"/@{bob.name}")
    await ada.live()
    assert "Keeps bees." in await ada.page.inner_text("main")
    await bob.goto("/settings/leave")
    await bob.page.fill("[name=current_password]", PASSWORD)
    await bob.page.click("main form button[type=submit]")
    await ada.until("document.querySelector('h1').textContent.includes('not here any more')")
    assert "Keeps bees." not in await ada.page.inner_html("main")
    assert await ada.page.title() == "This account is not here any more."
