"""Every page, phone and desktop, light and dark, in English and Spanish: axe finds nothing, nothing
is wider than the screen, be it as narrow as 320 pixels."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe

from microblog.kernel import clock
from tests.browser import looks
from tests.browser.conftest import Open, Window
from tests.browser.looks import Looks
from tests.imports.copies import answer, copy, post
from tests.person import PASSWORD, Person, token_in
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

# Light and dark differ in colours alone, the widths in layout alone, the languages in lengths: two
# of the eight say it all, since Spanish is the longer.
# One in bin/test, both by `pytest tests/browser -m "long or not long"`: each takes a minute.
MANNERS = [
    pytest.param(
        {"color_scheme": "light", "locale": "en-US", "width": 1280},
        id="wide",
        marks=pytest.mark.long,
    ),
    pytest.param({"color_scheme": "dark", "locale": "es-ES", "width": 390}, id="phone"),
]
LONG = {
    "display_name": "Bartholomew Ottokar von und zu Hohenschwangau-Lang",
    "bio": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 5,
    "pronouns": "he/him, they/them, and all others, too",
    "location": "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "link_label_1": "Everything I ever wrote",
    "link_url_1": "https://example.org/" + "a-very-long-way-down/" * 12,
}
UNBROKEN = "https://example.org/" + "unbroken" * 30 + " " + "w" * 150 + " #bees"


@dataclass
class Grown:
    """A site with content of every kind, and what stands in addresses."""

    site: SiteProcess
    values: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def grown(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Grown]:
    async with SiteProcess(
        tmp_path_factory.mktemp("looks") / "data", command="dev", oidc_club_client_id="us",
        oidc_club_issuer="http://127.0.0.1:9", oidc_club_client_secret="s", oidc_club_label="Club",
        x_client_id="us", x_client_secret="s", facebook_client_id="us", facebook_client_secret="s",
    ) as site:  # fmt: skip
        names = ("mira", "otto", "nia", "two1280", "two390")
        people = [Person(site.url, name) for name in names]
        for person in people:
            await person.register()
        mira, otto, nia = people[:3]
        values = await _written(mira, otto)
        values |= await _moderated(site, mira, otto, nia)
        values |= {"brought": await _brings(mira, "list"), "offered": await _brings(mira)}
        yield Grown(site, values)
        for person in people:
            await person.http.aclose()


async def _written(mira: Person, otto: Person) -> dict[str, str]:
    await otto.submit("/settings/profile", **LONG)
    post = await otto.post(UNBROKEN)
    await otto.follow(mira.name)
    await mira.follow(otto.name)
    edited = await mira.post(f"A first word to @{otto.name} #bees")
    await mira.edit(edited, f"A second word to @{otto.name} #bees")
    await otto.reply(edited, f"@{mira.name} a word back")
    return {"post": str(post), "edited": str(edited), "mira": "mira", "otto": "otto", "nia": "nia"}


async def _moderated(site: SiteProcess, mira: Person, otto: Person, nia: Person) -> dict[str, str]:
    """Mira becomes administrator; a report, an act, an application."""
    found = re.search(r"/admin/claim/\S+", site.said())
    assert found
    await mira.submit(found[0], page=found[0])
    post = await otto.post("Something that Nia does not like")
    await nia.submit(f"/posts/{post}/report", category="spam", words="Look at this. " * 20)
    person = _number(r"/admin/people/(\d+)\"><bdi>Bartholomew", await mira.page("/admin/people"))
    acts = {"act": "silence", "reason": "Once more the same. " * 10}
    await mira.submit(f"/admin/people/{person}", **acts)
    settings = {
        "name": "Microblog", "description": "For everybody.", "rules": "Be kind.\nNo noise.",
        "sign_up": "approval", "inviters": "members", "invitations_each": "5", "post_limit": "500",
    }  # fmt: skip
    assert (await mira.submit("/admin/settings", **settings)).status_code == 303
    async with Person(site.url, "pia") as pia:
        fields = {"username": "pia", "email": "pia@example.org", "password": PASSWORD}
        await pia.submit("/register", page="/register", reason="A friend told me.", **fields)
    application = _number(r"/admin/applications/(\d+)", await mira.page("/admin/applications"))
    report = _number(r"/admin/reports/(\d+)", await mira.page("/admin/reports"))
    return {"person": person, "application": application, "report": report}


async def _brings(mira: Person, kind: str = "archive") -> str:
    """A list with people who are not here, or a copy that waits for what is wanted of it."""
    here = "/settings/import"
    path = here if kind == "list" else f"{here}/archive"
    content = b"Account address\nnia@127.0.0.1\neve@elsewhere.example\n"
    if kind == "archive":
        content = copy([post(1), answer(2, 1)], following=("otto", "eve")).read()
    form = {"csrf_token": token_in(await mira.page(here))}
    sent = await mira.http.post(path, data=form, files={kind: ("it", content)})
    async with asyncio.timeout(30):
        while sent.status_code == 409:  # the one before is not done
            await asyncio.sleep(0.05)
            sent = await mira.http.post(path, data=form, files={kind: ("it", content)})
    assert sent.status_code == 303, sent.text[:4000]
    return sent.headers["location"].rpartition("/")[2]


def _number(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    assert found, (pattern, page[-4000:])
    return found[1]


async def problems(window: Window) -> list[str]:
    """Of the page that is open."""
    page, path = window.page, window.page.url.removeprefix(window.url)
    found = [f"{path}: not one h1"] if await page.locator("h1").count() != 1 else []
    results = await Axe().run(page)
    found += [
        f"{path}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in results.response["violations"]
    ]
    size = page.viewport_size or {"width": 0, "height": 0}
    for width in (size["width"], 320):
        await page.set_viewport_size({"width": width, "height": size["height"]})
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        if await page.evaluate(wide):
            found.append(f"{path}: wider than the screen of {width} pixels")
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})
    return found


async def check(window: Window, lists: Looks, values: dict[str, str]) -> list[str]:
    found = []
    for path in (path for paths in lists.values() for path in paths):
        await window.goto(path.format(**values))
        found += await problems(window)
    return found


async def opened(window: Open, grown: Grown, manner: dict[str, Any], name: str = "") -> Window:
    options = dict(manner)
    size = {"width": options.pop("width"), "height": 844}
    one = await window(signed_in=False, at=grown.site, viewport=size, **options)
    if name:
        one.name = name
        await sign_in(one)
        await one.page.wait_for_url(one.url + "/")
    return one


async def sign_in(one: Window) -> None:
    await one.goto("/login")
    await one.page.fill("[name=login]", one.name)
    await one.page.fill("[name=password]", PASSWORD)
    await one.page.click("form[action='/login'] button[type=submit]")


@pytest.mark.parametrize("manner", MANNERS)
async def test_axe_finds_nothing(window: Open, grown: Grown, manner: dict[str, Any]) -> None:
    mira = await opened(window, grown, manner, "mira")
    found = await check(mira, looks.MEMBER, grown.values)
    found += await check(mira, looks.STAFF, grown.values)
    visitor = await opened(window, grown, manner)
    found += await check(visitor, looks.VISITOR, grown.values)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("manner", MANNERS)
async def test_a_refused_form_is_as_good_to_read(
    window: Open, grown: Grown, manner: dict[str, Any]
) -> None:
    visitor = await opened(window, grown, manner)
    found = []
    for path, field in (("/login", "[name=login]"), ("/register", "[name=username]")):
        await visitor.goto(path)
        await visitor.page.evaluate("document.querySelector('main form').noValidate = true")
        await visitor.page.fill(field, "not a name")
        await visitor.page.click("main form button[type=submit]")
        await visitor.page.wait_for_selector("[role=alert]")
        found += await problems(visitor)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("manner", MANNERS)
async def test_axe_finds_nothing_on_the_way_through_two_factor(
    window: Open, grown: Grown, manner: dict[str, Any]
) -> None:
    name = f"two{manner['width']}"
    one = await opened(window, grown, manner, name)
    await one.goto("/settings/two-factor")
    await one.page.click("main form button[type=submit]")
    await one.page.wait_for_selector("main code")
    found = await problems(one)
    secret = (await one.page.inner_text("main code")).replace(" ", "")
    await one.page.fill("#code", pyotp.TOTP(secret).at(clock.now()))
    await one.page.click("main form button[type=submit]")
    codes = (await one.page.inner_text("main pre")).split()
    found += await problems(one)
    await one.goto("/settings/two-factor")
    found += await problems(one)
    again = await opened(window, grown, manner)
    again.name = name
    await sign_in(again)
    await again.page.wait_for_url(again.url + "/login/second-step")
    found += await problems(again)
    await again.page.fill("#code", codes[0])
    await again.page.click("main form button[type=submit]")
    await again.page.wait_for_url(again.url + "/")
    assert not found, "\n".join(found)
