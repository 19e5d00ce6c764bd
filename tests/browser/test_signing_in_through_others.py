"""There and back in Chromium: over other sites, which our Content Security Policy must let us
leave for, and with cookies that must come along on the way back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from oidc_provider_mock import User, run_server_in_thread
from playwright.async_api import Page

from tests.browser.conftest import Open, Window
from tests.process import SiteProcess

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.filterwarnings("ignore:get_jwt_config", "ignore:generate_user_info"),
]


@pytest.fixture
def provider() -> Iterator[str]:
    people = [
        User(sub=name, claims={
            "email": f"{name}@club.example.org", "email_verified": True, "name": name.title(),
            "preferred_username": name,
        })
        for name in ("ada", "ben")
    ]  # fmt: skip
    with run_server_in_thread(require_nonce=True, user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest_asyncio.fixture(loop_scope="package")
async def club(tmp_path: Path, provider: str) -> AsyncIterator[SiteProcess]:
    async with SiteProcess(
        tmp_path / "data", command="dev", oidc_club_issuer=provider, oidc_club_client_id="us",
        oidc_club_client_secret="secret", oidc_club_label="The club",
    ) as process:  # fmt: skip
        yield process


async def faults(page: Page) -> list[str]:
    results = await Axe().run(page)
    return [str(violation["id"]) for violation in results.response["violations"]]


async def without_a_network(one: Window) -> None:
    """The provider's pages ask one for their style."""
    await one.context.route("https://cdn.*/**", lambda route: route.abort())


async def over_there(one: Window, provider: str, name: str) -> None:
    await one.page.wait_for_url(f"{provider}/**")
    await one.page.click(f"button[name=sub][value={name}]")
    await one.page.wait_for_url(f"{one.url}/**")


def forgive_the_provider(one: Window, provider: str) -> None:
    """Its pages are its own matter; ours ask no stranger."""
    ours = [url for url in one.foreign if not url.startswith((provider, "https://cdn."))]
    assert ours == []
    one.foreign.clear()
    one.complaints[:] = [said for said in one.complaints if one.url in said]


@pytest.mark.parametrize("script", [True, False])
async def test_a_stranger_becomes_a_member(
    window: Open, club: SiteProcess, provider: str, script: bool
) -> None:
    size = {"width": 390, "height": 844}
    ada = await window(signed_in=False, at=club, viewport=size, java_script_enabled=script)
    await without_a_network(ada)
    await ada.goto("/login?next=/explore")
    await ada.page.click("text=Continue with The club")
    await over_there(ada, provider, "ada")
    assert await ada.page.input_value("[name=username]") == "ada"
    if script:
        assert await faults(ada.page) == []
    await ada.page.click("main button[type=submit]")
    await ada.page.wait_for_url(f"{ada.url}/explore")
    await ada.goto("/settings/account")
    assert await ada.page.locator("text=ada@club.example.org").count() == 1
    forgive_the_provider(ada, provider)


async def test_a_member_adds_a_way_in_and_takes_it_away(
    window: Open, club: SiteProcess, provider: str
) -> None:
    ben = await window(at=club, color_scheme="dark")
    await without_a_network(ben)
    await ben.goto("/settings/identities")
    await ben.page.click("text=Add The club")
    await over_there(ben, provider, "ben")
    await ben.page.wait_for_selector("text=You can sign in with The club now.")
    assert await faults(ben.page) == []
    await ben.page.click("text=Use its name or picture")
    await ben.page.wait_for_selector("text=Name and picture from The club")
    assert await faults(ben.page) == []
    await ben.page.check("text=Be called Ben")
    await ben.page.click("main button:has-text('Take over')")
    await ben.page.wait_for_url(f"{ben.url}/settings/profile")
    assert await ben.page.input_value("[name=display_name]") == "Ben"
    await ben.goto("/settings/identities")
    await ben.page.click("main button:has-text('Remove')")
    await ben.page.wait_for_selector("text=You can no longer sign in with it.")
    forgive_the_provider(ben, provider)
