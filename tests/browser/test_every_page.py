"""Every page, phone and desktop, light and dark: axe finds nothing, nothing is wider than the
screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.browser.conftest import Open, Window

pytestmark = pytest.mark.asyncio(loop_scope="package")

SIGNED_OUT = (
    "/", "/explore", "/register", "/register/sent", "/login", "/login/with-passkey",
    "/password/forgot",
    "/password/forgot/sent", "/about", "/password/reset/none", "/confirm/none", "/u/none", "/nothing-here",
    "/shortcuts", "/@{name}", "/@{name}/{post}", "/tags/bees", "/admin/claim/none",
)  # fmt: skip
SIGNED_IN = (
    "/", "/explore", "/notifications", "/@{name}", "/@{name}/{post}", "/@{name}/{post}/history",
    "/@{name}/followers", "/@{name}/following", "/posts/new", "/posts/{post}/edit",
    "/posts/{post}/delete", "/posts/{post}/report", "/about/moderation", "/settings/profile",
    "/settings/appearance", "/settings/mail", "/settings/account", "/settings/leave",
    "/settings/export", "/settings/import", "/settings/sessions", "/settings/two-factor",
    "/settings/passkeys", "/reauthenticate", "/dev/mail",
)  # fmt: skip


async def check(window: Window, paths: tuple[str, ...], **values: str) -> list[str]:
    found = []
    for path in (path.format(**values) for path in paths):
        await window.goto(path)
        wide = await window.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        if wide:
            found.append(f"{path} is wider than the screen")
        if await window.page.locator("h1").count() != 1:
            found.append(f"{path} has not one h1")
        results = await Axe().run(window.page)
        found += [
            f"{path}: {v['id']} {v['nodes'][0]['html'][:120]}"
            for v in results.response["violations"]
        ]
    return found


async def written(window: Window) -> dict[str, str]:
    """Some content of every kind; the name and the post for the addresses."""
    await window.goto("/")
    await window.post(
        "A word about #bees and https://example.org/a/rather/long/path?with=questions"
    )
    await window.page.wait_for_selector(".timeline-posts > article")
    post = await window.page.locator(".timeline-posts > article").first.get_attribute("data-post")
    return {"name": window.name, "post": str(post)}


# Light and dark differ in colours alone, the widths in layout alone: two of the four say it all.
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_axe_finds_nothing(window: Open, scheme: str, width: int) -> None:
    size = {"width": width, "height": 844}
    ada = await window(viewport=size, color_scheme=scheme)
    values = await written(ada)
    visitor = await window(signed_in=False, viewport=size, color_scheme=scheme)
    found = await check(ada, SIGNED_IN, **values) + await check(visitor, SIGNED_OUT, **values)
    assert found == []
