"""What an open page says when its server will not have it, or has nothing left for it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Route

from tests.browser.conftest import Open, Window
from tests.browser.test_live_limits import POST, Telling
from tests.person import Person
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

TEXT = "post-composer textarea[name=body]"
FOCUSED = "document.activeElement.matches('{}')"


async def answer_as_a_proxy(route: Route) -> None:
    await route.fulfill(status=502, content_type="text/html", body="<h1>502 Bad Gateway</h1>")


async def as_person(window: Window) -> Person:
    person = Person(window.url, window.name)
    for cookie in await window.context.cookies():
        person.http.cookies.set(str(cookie.get("name")), str(cookie.get("value")))
    return person


async def with_a_pill(window: Window, count: int = 1) -> Telling:
    telling = Telling()
    await telling.to(window, "/explore")
    for number in range(count):
        element = f"post-{2**62 + number}"
        telling.say("timeline", "insert", element, POST.format(element=element))
    await window.page.wait_for_selector(".pill:not([hidden])")
    return telling


async def test_a_page_too_many_says_so_and_goes_on_when_there_is_room(
    window: Open, tmp_path: Path
) -> None:
    async with SiteProcess(tmp_path / "own", command="dev", limits="default") as site:
        reader = await window(at=site)
        await reader.goto("/settings/appearance")
        person = await as_person(reader)
        async with person, AsyncExitStack() as stack:
            for _ in range(19):
                await stack.enter_async_context(person.socket())
            await reader.goto("/")
            await reader.live()
            late = replace(reader, page=await reader.context.new_page())
            await late.goto("/explore")
            await late.page.wait_for_selector("live-state[data-state=full]:has-text('Too many')")
        await late.page.evaluate("dispatchEvent(new Event('online'))")
        await late.live()


async def test_a_page_that_is_gone_says_so_after_a_reset(window: Open) -> None:
    writer, reader, telling = await window(), await window(signed_in=False), Telling()
    await writer.goto("/posts/new")
    await writer.post("not for long")
    await writer.page.wait_for_url("**/@*/*")
    post = writer.page.url.removeprefix(writer.url)
    await telling.to(reader, post)
    await writer.goto(f"/posts/{post.rpartition('/')[2]}/delete")
    await writer.page.click("main form button[type=submit]")
    await reader.page.wait_for_selector("text=This post was deleted")
    telling.start_over()
    await reader.page.wait_for_selector("live-state:has-text('This page is not here any more.')")


async def test_a_page_that_only_a_proxy_does_not_find_comes_back(window: Open) -> None:
    reader, telling = await window(signed_in=False), Telling()
    await telling.to(reader, "/explore")
    await reader.page.route("**/explore", lambda route: route.fulfill(status=404), times=1)
    telling.start_over()
    await reader.page.wait_for_selector("live-state[data-state=gone]")
    await reader.live()


async def test_who_is_signed_out_while_away_is_told_so(window: Open) -> None:
    reader = await window()
    await reader.live()
    await reader.context.clear_cookies()
    await reader.page.evaluate("dispatchEvent(new Event('online'))")
    await reader.page.wait_for_selector("live-state[data-state=signed-out]")


async def test_a_pill_that_needs_the_server_keeps_the_page_without_it(window: Open) -> None:
    reader = await window(signed_in=False)
    await with_a_pill(reader, 201)
    await reader.context.set_offline(True)
    await reader.page.click(".pill")
    await reader.page.wait_for_selector("#toast:has-text('No connection')")
    await reader.page.wait_for_selector(".pill:has-text('200+ new posts')")
    assert await reader.page.evaluate(FOCUSED.format(".pill"))
    await reader.context.set_offline(False)
    await reader.page.route("**/explore", answer_as_a_proxy, times=1)
    await reader.page.click(".pill")
    await reader.page.wait_for_selector("#toast:has-text('The site is not answering')")


async def test_the_focus_of_a_pill_that_goes_stays_in_the_list(window: Open) -> None:
    writer, reader = await window(), await window(signed_in=False)
    await writer.post("to be read")
    await writer.page.wait_for_selector("article:has-text('to be read')")
    telling = await with_a_pill(reader)
    await reader.page.focus(".pill")
    telling.say("timeline", "remove", f"post-{2**62}")
    await reader.page.wait_for_selector(".pill", state="hidden")
    assert await reader.page.evaluate(FOCUSED.format(".timeline-posts > article"))


async def test_nobody_is_offered_who_is_gone(window: Open) -> None:
    reader, telling = await window(), Telling()
    await window()
    await window()
    await telling.to(reader, "/")
    offered = reader.page.locator(".person follow-button")
    authors = [await one.get_attribute("data-person") for one in await offered.all()]
    telling.say("timeline", "remove", f"author-{authors[1]}")  # private by now, it may be
    telling.say("person", "remove", f"author-{authors[0]}")
    await reader.page.wait_for_selector(f"[data-person='{authors[0]}']", state="detached")
    assert await offered.count() == len(authors) - 1
    for author in authors[1:]:
        telling.say("person", "remove", f"author-{author}")
    await reader.page.wait_for_selector(".people", state="hidden")


async def test_a_proxy_in_the_way_is_not_called_offline(window: Open) -> None:
    writer, other = await window(), await window()
    await writer.goto(f"/@{other.name}")
    await writer.page.route("**/follow", answer_as_a_proxy, times=1)
    await writer.page.click("main form[action$='/follow'] button")
    await writer.page.wait_for_selector("#toast:has-text('The site is not answering')")
    await writer.goto("/")
    await writer.page.route("**/posts", answer_as_a_proxy, times=1)
    await writer.post("said in between")
    said = "The site is not answering. Try again in a moment. Your text is kept here."
    await writer.page.wait_for_selector(f".composer-status:has-text('{said}')")
    assert await writer.page.input_value(TEXT) == "said in between"
    await writer.page.get_by_role("button", name="Try again").click()
    await writer.page.wait_for_selector("article:has-text('said in between')")


async def test_an_edit_brings_a_post_to_an_open_tag_page_and_takes_it_away(window: Open) -> None:
    writer, reader = await window(), await window(signed_in=False)
    tag = f"t{writer.name}"
    await writer.goto("/posts/new")
    await writer.post("about bees")
    await writer.page.wait_for_url("**/@*/*")
    post = writer.page.url.rpartition("/")[2]
    await reader.goto(f"/tags/{tag}")
    await reader.live()

    async def edit(text: str) -> None:
        await writer.goto(f"/posts/{post}/edit")
        await writer.page.fill(TEXT, text)
        await writer.page.click("main form button[type=submit]")
        await writer.page.wait_for_url("**/@*/*")

    await edit(f"about #{tag}")
    await reader.page.click(".pill:not([hidden])")
    shown = reader.page.locator(f".timeline-posts > #post-{post}")
    await shown.get_by_text(f"about #{tag}").wait_for()
    await edit("about wasps")
    await shown.get_by_text("This post is not on this page any more").wait_for()
    await edit(f"again about #{tag}")
    await shown.get_by_text(f"again about #{tag}").wait_for()
