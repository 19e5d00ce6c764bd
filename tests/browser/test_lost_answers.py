"""What a page does with each way a request can end: nothing typed is lost, nothing is done twice,
and the keyboard stays where it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import Locator, Route

from tests.browser.conftest import Open, Window
from tests.browser.test_coming_in import sign_in
from tests.browser.test_live_page import shown

pytestmark = pytest.mark.asyncio(loop_scope="package")

TEXT = "post-composer textarea[name=body]"
FILLED_IN_AGAIN = """addEventListener("readystatechange", () => {
  const field = document.querySelector("textarea");
  if (field && document.readyState === "interactive") field.value = "said in a tunnel";
}, { capture: true });"""


async def lose_the_answer(route: Route) -> None:
    await route.fetch()
    await route.abort()


async def answer_as_a_portal(route: Route) -> None:
    await route.fulfill(content_type="text/html", body="<h1>Accept our terms</h1>")


async def with_a_post(window: Open, text: str) -> tuple[Window, Locator]:
    one = await window()
    await one.post(text)
    article = one.page.locator(f".timeline-posts > article:has-text('{text}')")
    await article.wait_for()
    return one, article


async def ask_to_delete(article: Locator) -> Locator:
    """The button that says yes."""
    await article.locator("summary").click()
    await article.locator("confirm-button a").click()
    return article.locator(".confirm .button-danger")


@pytest.mark.parametrize("path", ["/", "/posts/new", "/settings/profile"])
async def test_a_page_of_somebody_else_is_no_answer(window: Open, path: str) -> None:
    writer = await window()
    await writer.goto(path)
    if path == "/settings/profile":
        await writer.page.click("[data-compose]")
    await writer.page.route("**/posts", answer_as_a_portal, times=1)
    await writer.post("said in a hotel")
    await writer.page.wait_for_selector("text=Not sent")
    assert await writer.page.input_value(TEXT) == "said in a hotel"
    await writer.page.get_by_role("button", name="Try again").click()
    await writer.page.wait_for_selector("article:has-text('hotel'), #toast:has-text('Posted')")


async def test_a_text_after_a_deleted_one_is_not_swallowed(window: Open) -> None:
    writer = await window()
    await writer.page.route("**/posts", lose_the_answer, times=1)
    await writer.post("a typpo")
    await writer.page.click(".pill:not([hidden])")
    article = writer.page.locator(".timeline-posts > article")
    await (await ask_to_delete(article)).click()
    await writer.page.wait_for_selector("text=This post was deleted")
    await writer.post("no typo")
    await writer.page.wait_for_selector(".field-error:has-text('is deleted')")
    assert await writer.page.input_value(TEXT) == "no typo"
    await writer.page.click("post-composer button[type=submit]")
    await writer.page.wait_for_selector(".timeline-posts > article:has-text('no typo')")


@pytest.mark.parametrize("path", ["/", "/posts/new?body=said+in+a+tunnel"])
async def test_a_text_is_posted_once_though_the_browser_fills_it_in_again(
    window: Open, path: str
) -> None:
    writer = await window()
    await writer.goto(path)
    await writer.page.route("**/posts", lose_the_answer, times=1)
    await writer.post("said in a tunnel")
    await writer.page.wait_for_selector("text=Not sent")
    await writer.page.add_init_script(FILLED_IN_AGAIN)
    await writer.page.reload()
    await writer.until("Boolean(customElements.get('post-composer'))")
    await writer.page.click("post-composer button[type=submit]")
    await writer.page.wait_for_selector("#toast:has-text('Posted'), .post-focus")
    await writer.goto(f"/@{writer.name}")
    assert await shown(writer) == ["said in a tunnel"]


async def test_an_impatient_yes_asks_once_and_can_be_asked_again(window: Open) -> None:
    writer, article = await with_a_post(window, "to go")
    asked, may_answer = [], asyncio.Event()

    async def wait(route: Route) -> None:
        asked.append(route.request.url)
        await may_answer.wait()
        await route.abort()

    await writer.page.route("**/delete", wait, times=2)
    yes = await ask_to_delete(article)
    await yes.click()
    await yes.click()
    await article.locator(".confirm button").last.click()  # and no, after all
    may_answer.set()
    await writer.page.wait_for_selector("#toast:has-text('No connection')")
    assert len(asked) == 1
    await writer.page.unroute("**/delete")
    await article.locator("confirm-button a").click()
    await yes.click()
    await writer.page.wait_for_selector("text=This post was deleted")


async def test_keys_do_nothing_where_a_post_was(window: Open) -> None:
    writer, article = await with_a_post(window, "to go")
    await writer.page.keyboard.press("Escape")  # the first key fetches what keys do
    await (await ask_to_delete(article)).press("Enter")
    await writer.until("document.activeElement.matches('.post-deleted')")
    for key in ("o", "Enter", "l", "r"):
        await writer.page.keyboard.press(key)
    await writer.page.keyboard.press("n")
    await writer.until("document.activeElement.name === 'body'")


async def test_trying_again_by_key_keeps_the_place(window: Open) -> None:
    writer = await window()
    await writer.page.route("**/posts", lambda route: route.abort())
    await writer.post("said in a tunnel")
    again = writer.page.get_by_role("button", name="Try again")
    await again.press("Enter")
    await again.wait_for()
    assert await writer.page.evaluate("document.activeElement.matches('post-composer *')")


async def test_what_a_composer_says_is_heard_in_its_dialog(window: Open) -> None:
    """Where the focus stays in the text, nothing else would say it."""
    writer = await window()
    await writer.goto("/explore")
    await writer.page.click("[data-compose]")
    heard = writer.page.locator("dialog[open] .composer-aloud")
    for text, words in (("x" * 490, "10 left"), ("   ", "Write something first.")):
        await writer.page.fill(TEXT, text)
        if words not in await heard.inner_text():
            await writer.page.press(TEXT, "Control+Enter")
        await heard.and_(writer.page.get_by_text(words)).wait_for()


async def test_a_list_without_its_script_does_not_say_that_it_is_live(window: Open) -> None:
    reader = await window(signed_in=False)
    await reader.page.route("**/live-timeline.js", lambda route: route.abort())
    sockets: list[str] = []
    reader.page.on("websocket", lambda socket: sockets.append(socket.url))
    await reader.goto("/explore")
    await reader.page.wait_for_selector("text=Connecting…")
    await reader.page.wait_for_load_state("networkidle")
    assert sockets == []


async def test_keys_that_could_not_be_fetched_come_with_a_later_press(window: Open) -> None:
    reader = await window()
    await reader.live()
    await reader.page.route("**/shortcuts.js", lambda route: route.abort())
    async with reader.page.expect_event("requestfailed"):
        await reader.page.keyboard.press("n")
    await reader.page.unroute("**/shortcuts.js")
    async with asyncio.timeout(15):
        while not await reader.page.evaluate("document.activeElement.name === 'body'"):
            await reader.page.keyboard.press("n")


async def test_what_needs_a_connection_says_so(window: Open) -> None:
    reader = await window()
    await reader.live()
    await reader.context.set_offline(True)
    await reader.page.click("theme-switch [data-value=dark]")
    await reader.page.wait_for_selector("#toast:has-text('No connection')")
    await reader.page.evaluate("toast.textContent = ''")
    await reader.page.click("a[href='/shortcuts']")
    await reader.page.wait_for_selector("#toast:has-text('No connection')")


async def sign_out_elsewhere(window: Window) -> Window:
    """Its other page, where that was done."""
    other = replace(window, page=await window.context.new_page())
    await other.goto("/explore")
    async with other.page.expect_navigation():
        await other.page.evaluate(
            "document.querySelector('form[action=\"/logout\"]').requestSubmit()"
        )
    return other


async def test_who_is_signed_out_is_told_so_whatever_they_press(window: Open) -> None:
    reader, other = await window(), await window()
    await reader.goto(f"/@{other.name}")
    await sign_out_elsewhere(reader)
    await reader.page.click("main form[action$='/follow'] button")
    await reader.page.wait_for_selector("#toast:has-text('You are signed out.')")


async def test_a_page_goes_on_when_its_reader_is_back(window: Open) -> None:
    reader, writer = await window(), await window()
    await reader.goto("/explore")
    await reader.live()
    other = await sign_out_elsewhere(reader)
    await reader.page.wait_for_selector("live-state[data-state=signed-out]")
    await writer.post("said meanwhile")
    await writer.page.wait_for_selector("article:has-text('said meanwhile')")
    await sign_in(other, other.name)
    await reader.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await reader.live()
    await reader.page.click(".pill:not([hidden])")
    await reader.page.wait_for_selector("article:has-text('said meanwhile')")


async def test_a_post_from_another_tab_takes_no_draft_along(window: Open) -> None:
    writer = await window()
    await writer.live()
    other = replace(writer, page=await writer.context.new_page())
    await other.goto("/")
    await other.live()
    await writer.page.fill(TEXT, "half a thought")
    await other.post("a quick word")
    await other.page.wait_for_selector("article:has-text('a quick word')")
    await writer.page.reload()
    await writer.page.wait_for_selector("text=Draft restored")
    assert await writer.page.input_value(TEXT) == "half a thought"
