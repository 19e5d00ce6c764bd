"""Passkeys with Chromium's virtual authenticator, and a second factor without any script."""

from __future__ import annotations

import pyotp
import pytest

from microblog.kernel import clock
from tests.browser.conftest import Open, Window
from tests.person import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def at_a_name(window: Open, **options: object) -> Window:
    """Passkeys belong to a host with a name: not to 127.0.0.1."""
    opened = await window(signed_in=False, **options)
    opened.url = opened.url.replace("127.0.0.1", "localhost")
    await opened.register()
    return opened


async def give_authenticator(opened: Window) -> None:
    devtools = await opened.context.new_cdp_session(opened.page)
    await devtools.send("WebAuthn.enable")
    abilities = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": abilities})


async def test_a_passkey_is_added_and_signs_in(window: Open) -> None:
    ada = await at_a_name(window)
    await give_authenticator(ada)
    await ada.goto("/settings/account")
    await ada.page.click("a[href='/settings/passkeys']")
    await ada.page.fill("#name", "A laptop")
    await ada.page.click("passkey-form button[type=submit]")
    await ada.page.wait_for_selector(".device:has-text('A laptop')")

    await ada.page.click("form[action='/logout'] button")
    await ada.page.wait_for_url(ada.url + "/")
    await ada.goto("/login?next=/explore")
    await ada.page.click("a[href='/login/with-passkey?next=/explore']")
    await ada.page.click("passkey-form button[type=submit]")
    await ada.page.wait_for_url(ada.url + "/explore")
    await ada.page.wait_for_selector(f"text=@{ada.name}")


async def test_at_an_address_without_a_name_the_page_says_that_it_cannot(window: Open) -> None:
    ada = await window()
    await give_authenticator(ada)
    await ada.goto("/settings/passkeys")
    assert not await ada.page.is_visible("passkey-form [data-without]")
    await ada.page.fill("#name", "A laptop")
    await ada.page.click("passkey-form button[type=submit]")
    await ada.page.wait_for_selector("passkey-form [data-without]:visible")


async def test_whoever_declines_stays_where_they_are(window: Open) -> None:
    ada = await at_a_name(window)
    await ada.goto("/settings/passkeys")
    await ada.page.evaluate(
        "void (navigator.credentials.create = () => Promise.reject(new Error('no')))"
    )
    await ada.page.fill("#name", "A laptop")
    await ada.page.click("passkey-form button[type=submit]")
    await ada.until("document.activeElement.matches('passkey-form [type=submit]')")
    assert ada.page.url == ada.url + "/settings/passkeys"


async def test_a_second_factor_works_without_script(window: Open) -> None:
    ada = await window(java_script_enabled=False, viewport={"width": 390, "height": 844})
    await ada.goto("/settings/two-factor")
    await ada.page.click("main form button[type=submit]")
    secret = (await ada.page.inner_text("main code")).replace(" ", "")
    totp = pyotp.TOTP(secret)
    await ada.page.fill("#code", totp.at(clock.now()))
    await ada.page.click("main form button[type=submit]")
    recovery = (await ada.page.inner_text("main pre")).split()
    async with ada.page.expect_download() as kept:
        await ada.page.click("a[download]")
    assert recovery[9] in (await (await kept.value).path()).read_text()

    other = await window(signed_in=False, java_script_enabled=False)
    await other.goto("/login?next=/explore")
    await other.page.fill("[name=login]", ada.name)
    await other.page.fill("[name=password]", PASSWORD)
    await other.page.click("form[action='/login'] button[type=submit]")
    await other.page.wait_for_url(other.url + "/login/second-step")
    await other.page.fill("#code", recovery[0])
    await other.page.click("main form button[type=submit]")
    await other.page.wait_for_url(other.url + "/explore")
    await other.goto("/settings/passkeys")
    assert await other.page.is_visible("passkey-form [data-without]")
    assert not await other.page.is_visible("passkey-form form")
