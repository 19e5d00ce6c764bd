"""Looking after people, from a report on a phone without script to the appeal; and what people
write is nothing that runs, though no policy of the browser holds it back."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from microblog.accounts.model import Account
from microblog.kernel.db import Database
from tests.browser.conftest import Open, Window
from tests.browser.test_coming_in import sign_in
from tests.person import PASSWORD
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

NASTY = '"><img src=x onerror="window.ran=1"><script>window.ran=1</script>'


async def promoted(site: SiteProcess, window: Window, role: str = "moderator") -> int:
    """Their id."""
    db = Database(f"sqlite+aiosqlite:///{site.data_dir / 'microblog.db'}")
    async with db.writing() as session:
        change = update(Account).where(Account.name == window.name).values(role=role)
        found = (await session.scalars(change.returning(Account.id))).one()
    await db.close()
    return found


async def hears_by_mail(window: Window, subject: str) -> None:
    async with asyncio.timeout(15):
        await window.goto("/dev/mail")
        while subject not in await window.page.inner_text("main"):
            await asyncio.sleep(0.2)
            await window.page.reload()


async def test_from_a_report_to_an_appeal(window: Open, site: SiteProcess) -> None:
    phone = {"viewport": {"width": 390, "height": 844}}
    mo, ada, susan = await window(**phone), await window(), await window()
    await promoted(site, mo)
    await promoted(site, ada, "administrator")
    await susan.post("You are all fools")
    await susan.page.wait_for_selector("article:has-text('You are all fools')")
    await susan.live()
    await mo.goto("/admin/reports")

    david = await window(java_script_enabled=False, **phone)
    await david.goto(f"/@{susan.name}")
    await david.page.click("article.post summary")
    await david.page.click("article.post a[href$='/report']")
    await david.page.check("[name=category][value=harassment]")
    await david.page.click("main form[action$='/report'] button[type=submit]")
    await david.page.wait_for_selector("text=Thank you. A moderator looks at it")

    await mo.page.wait_for_selector(".nav a[href='/admin'] .badge:visible")
    await mo.page.click("main count-badge[data-name=waiting_reports] a:visible")
    await mo.page.click(f"main a:has-text('@{susan.name}') >> nth=0")
    await mo.page.wait_for_selector("text=You are all fools")
    await mo.page.check("[name=outcome][value=suspend]")
    await mo.page.fill("[name=reason]", "Insults.")
    await mo.page.select_option("[name=days]", "7")
    await mo.page.click("main form[action^='/admin/reports/'] button[type=submit]")
    await mo.page.wait_for_selector("text=The report is closed.")

    await susan.page.wait_for_selector("text=Signed out.")
    await susan.goto("/login")
    await susan.page.fill("[name=login]", susan.name)
    await susan.page.fill("[name=password]", PASSWORD)
    await susan.page.click("main form[action='/login'] button[type=submit]")
    await susan.page.wait_for_selector("text=Insults.")
    await susan.page.fill("[name=words]", "I quoted a play.")
    await susan.page.click("main form[action^='/appeals/'] button[type=submit]")
    await susan.page.wait_for_selector("text=Your appeal is sent")
    await hears_by_mail(david, "What came of your report")

    await mo.goto("/admin/appeals")
    await mo.page.wait_for_selector("text=somebody else decides about the appeal")
    await ada.goto("/admin/appeals")
    await ada.page.click("li:has-text('I quoted a play.') button[value=grant]")
    await ada.page.wait_for_selector("text=Decided.")
    await sign_in(susan, susan.name)
    await david.goto(f"/@{susan.name}")
    await david.page.wait_for_selector("text=You are all fools")


async def test_what_people_write_runs_nowhere_though_the_policy_is_off(
    window: Open, site: SiteProcess
) -> None:
    susan, ada = await window(bypass_csp=True), await window(bypass_csp=True)
    who = await promoted(site, susan, "member")
    await promoted(site, ada, "administrator")
    await susan.goto("/settings/profile")
    await susan.page.fill("[name=display_name]", NASTY[:60])
    await susan.page.fill("[name=bio]", NASTY)
    await susan.page.click("main form[action='/settings/profile'] button[type=submit]")
    await susan.page.wait_for_selector(".flash-notice")
    await ada.follow(susan)
    await ada.goto("/")
    await ada.live()
    await susan.goto("/")
    await susan.post(f"{NASTY} @{ada.name}")
    await ada.page.click("text=1 new post")
    await ada.page.wait_for_selector("article.post:has-text('onerror')")
    assert await ada.page.evaluate("window.ran === undefined")
    await ada.goto(f"/@{susan.name}/report")
    await ada.page.check("[name=category][value=other]")
    await ada.page.fill("[name=words]", NASTY)
    await ada.page.click("main form[action$='/report'] button[type=submit]")
    await ada.page.wait_for_selector(".flash-notice")
    for path in ("/", "/explore", "/notifications", f"/@{susan.name}", "/admin/reports",
                 f"/admin/people/{who}", "/admin/people", f"/@{susan.name}/report",
                 f"/nowhere/{NASTY}"):  # fmt: skip
        await ada.goto(path)
        await ada.page.wait_for_selector("main")
        assert await ada.page.evaluate("window.ran === undefined"), path
