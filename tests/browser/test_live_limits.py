"""The open page at its limits: what it cannot hold it still does not miss."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from playwright.async_api import WebSocketRoute

from tests.browser.conftest import Open, Window

pytestmark = pytest.mark.asyncio(loop_scope="package")

POST = """<article id="{element}" class="post" data-author="0" tabindex="-1">
<a class="post-avatar"><i></i></a><time datetime="2026-01-01T10:00Z"></time> flood</article>"""
# As on a page of something that goes on, whose way to stop it has the focus.
A_PART = """async () => {
  const scripts = document.querySelector("script[type=module]").src;
  await import(scripts.replace("app.js", "elements/live-part.js"));
  const part = document.createElement("live-part");
  part.id = "import-1";
  part.append(document.createElement("button"));
  document.querySelector("main").append(part);
  part.firstChild.focus();
}"""


class Telling:
    """Says more to a page than its server does."""

    def __init__(self) -> None:
        self._socket: WebSocketRoute | None = None
        self._said = 2**40

    async def to(self, window: Window, path: str) -> None:
        await window.page.route_web_socket(re.compile("/live"), self._connect)
        await window.goto(path)
        await window.live()

    async def _connect(self, socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        self._socket = socket

    def say(self, target: str, action: str, element: str, html: str = "") -> None:
        assert self._socket
        self._said += 1
        event = {"type": "event", "id": self._said, "position": f"x.{self._said}", "html": html}
        self._socket.send(
            json.dumps({**event, "target": target, "action": action, "element": element})
        )

    def start_over(self) -> None:
        assert self._socket
        self._socket.send(json.dumps({"type": "reset", "position": "x.1"}))


async def test_a_flood_that_goes_again_hides_nobody_else(window: Open) -> None:
    """More came than is held: the oldest are let go, and must not be forgotten with the rest."""
    writer, reader, telling = await window(), await window(signed_in=False), Telling()
    await telling.to(reader, "/explore")
    await writer.post("worth reading")
    await reader.page.wait_for_selector(".pill:not([hidden])")
    for number in range(201):
        element = f"post-{2**62 + number}"
        telling.say("timeline", "insert", element, POST.format(element=element))
    await reader.page.wait_for_selector(".pill:has-text('200+ new posts')")
    telling.say("timeline", "remove", "author-0")
    await reader.page.wait_for_selector(".pill:has-text('1+ new posts')")
    await reader.page.click(".pill")
    await reader.page.wait_for_selector("article:has-text('worth reading')")


async def test_a_visitor_who_signs_in_elsewhere_is_not_called_signed_out(window: Open) -> None:
    reader = await window(signed_in=False)
    await reader.goto("/explore")
    await reader.live()
    other = replace(reader, page=await reader.context.new_page())
    await other.register()
    await reader.context.set_offline(True)
    await reader.page.wait_for_selector("live-state[data-state=offline]")
    await reader.context.set_offline(False)
    await reader.live()
    await other.post("from the other window")
    await reader.page.wait_for_selector(".pill:not([hidden])")


async def test_the_focus_stays_in_a_part_that_is_drawn_anew(window: Open) -> None:
    reader, telling = await window(), Telling()
    await telling.to(reader, "/")
    await reader.page.evaluate(A_PART)
    html = "<live-part id='import-1'><p>Halfway.</p><button>Stop</button></live-part>"
    telling.say("part", "replace", "import-1", html)
    await reader.page.wait_for_selector("text=Halfway.")
    assert await reader.page.evaluate("document.activeElement.textContent") == "Stop"


async def test_what_is_shown_already_is_left_as_it_is(window: Open) -> None:
    """One's own post, which the line tells of after the answer has shown it."""
    writer, telling = await window(), Telling()
    await telling.to(writer, "/")
    await writer.post("mine")
    article = writer.page.locator(".timeline-posts > article:has-text('mine')")
    await article.locator("summary").click()
    element = str(await article.get_attribute("id"))
    telling.say("timeline", "insert", element, POST.format(element=element))
    telling.say("timeline", "insert", "post-1", POST.format(element="post-1"))
    await writer.page.wait_for_selector(".pill:not([hidden])")
    assert await article.locator("details").get_attribute("open") is not None
