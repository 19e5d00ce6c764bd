"""The open page at its limits: what it cannot hold it still does not miss."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open
from tests.browser.test_live_page import shown

pytestmark = pytest.mark.asyncio(loop_scope="package")

# What scripts of ours send; hundreds of them would take the composer minutes.
SEND_MANY = """async ([count, words]) => {
  const send = (number) => fetch("/posts", {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({
      csrf_token: document.body.dataset.csrf, body: `${words} ${number}`,
    }),
  });
  await Promise.all([...Array(count).keys()].map(send));
}"""


async def test_a_flood_that_goes_again_hides_nobody_else(window: Open) -> None:
    """More came than is held: the oldest are let go, and must not be forgotten with the rest."""
    writer, flooding = await window(), await window()
    reader = await window(signed_in=False)
    await reader.goto("/explore")
    await reader.live()
    await writer.post("worth reading")
    await reader.page.wait_for_selector(".pill:not([hidden])")
    await flooding.page.evaluate(SEND_MANY, [201, "flood"])
    await reader.page.wait_for_selector(".pill:has-text('200+ new posts')")
    await flooding.goto("/settings/privacy")
    await flooding.page.check("input[value=followers]")
    await flooding.page.click("main form button[type=submit]")
    await reader.page.wait_for_selector(".pill:has-text('1+ new posts')")
    await reader.page.click(".pill")
    await reader.page.wait_for_selector("article:has-text('worth reading')")
    assert "flood" not in "".join(await shown(reader))
