"""Asking for an account on a phone without script, being let in by somebody who sees it live, and
coming by an invitation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from microblog.kernel import schema
from microblog.kernel.db import Database
from microblog.signin import claims, passwords
from tests.browser.conftest import Open, Window
from tests.person import PASSWORD
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(loop_scope="package")
async def street(tmp_path: Path) -> AsyncIterator[SiteProcess]:
    """A site whose environment says that moderators decide, with an administrator."""
    folder = tmp_path / "data"
    folder.mkdir()
    db = Database(f"sqlite+aiosqlite:///{folder / 'microblog.db'}")
    await schema.upgrade(db.url.render_as_string(hide_password=False))
    hashed = await passwords.hashed(PASSWORD)
    async with db.writing() as session:
        await claims.create_administrator(
            session, name="boss", email="boss@example.org", password_hash=hashed
        )
    await db.close()
    async with SiteProcess(folder, command="dev", sign_up="approval") as process:
        yield process


async def sign_in(window: Window, name: str) -> None:
    await window.goto("/login")
    await window.page.fill("[name=login]", name)
    await window.page.fill("[name=password]", PASSWORD)
    await window.page.click("main form[action='/login'] button[type=submit]")
    await window.page.wait_for_url(window.url + "/")


async def fill(page: Page, name: str, **more: str) -> None:
    fields = {"username": name, "email": f"{name}@example.org", "password": PASSWORD} | more
    for field, value in fields.items():
        await page.fill(f"[name={field}]", value)
    await page.click("main form[action='/register'] button[type=submit]")


async def clean(window: Window, *paths: str) -> None:
    for path in paths:
        await window.goto(path)
        results = await Axe().run(window.page)
        found = [v["id"] for v in results.response["violations"]]
        assert found == [], (path, found)
        width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert await window.page.evaluate(width), path


async def test_from_an_application_to_an_invitation(window: Open, street: SiteProcess) -> None:
    boss = await window(signed_in=False, at=street)
    await sign_in(boss, "boss")
    await boss.goto("/admin/settings")
    await boss.page.fill("[name=rules]", "Be kind.\nNo adverts.")
    await boss.page.click("main form[action='/admin/settings'] button[type=submit]")
    await boss.page.wait_for_selector(".flash-notice")
    await boss.goto("/")
    await boss.live()

    phone = {"viewport": {"width": 390, "height": 844}}
    ada = await window(signed_in=False, at=street, java_script_enabled=False, **phone)
    await ada.goto("/")
    await ada.page.click("main a[href='/register']")
    await ada.page.click("summary")
    await ada.page.wait_for_selector(".rules >> text=No adverts.")
    await fill(ada.page, "ada", reason="I keep bees.")
    await ada.page.wait_for_url(ada.url + "/register/waiting")

    await boss.page.wait_for_selector(".nav count-badge[data-name=waiting]:visible >> text=1")
    await boss.page.click("a[href='/admin']")
    await boss.page.click("main a[href='/admin/applications']:visible >> nth=0")
    await boss.page.click("a:has-text('@ada')")
    await boss.page.check("[name=decision][value=approve]")
    await boss.page.click("main form[action^='/admin/applications/'] button[type=submit]")
    await boss.page.wait_for_selector("text=@ada has an account now.")
    await sign_in(ada, "ada")

    await ada.goto("/settings/invitations")
    await ada.page.fill("[name=note]", "For Ben")
    await ada.page.click("main form[action='/settings/invitations'] button")
    link = await ada.page.input_value("input[readonly]")
    ben = await window(signed_in=False, at=street, color_scheme="dark", **phone)
    await ben.page.goto(link)
    await ben.page.wait_for_selector("text=(@ada) invites you.")
    await fill(ben.page, "ben")
    await ben.page.wait_for_url(ben.url + "/")
    await ada.goto("/settings/invitations")
    await ada.page.wait_for_selector("a:has-text('@ben')")

    await clean(ben, "/about", "/settings/invitations")
    await clean(
        boss, "/admin", "/admin/settings", "/admin/applications", "/admin/invitations", "/admin/log"
    )
    other = await window(signed_in=False, at=street, **phone)
    await clean(other, "/register", "/register/waiting", "/about", "/join/none")
