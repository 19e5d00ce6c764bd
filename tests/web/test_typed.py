"""What was typed into a form comes back with whatever refuses it, and no secret does."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from quart import Quart
from sqlalchemy import delete, update

from microblog.accounts.model import Account
from microblog.settings import Settings
from microblog.signin.model import LoginSession
from microblog.web import typed
from tests.test_house import ROOT, changing_routes
from tests.web.visitor import Visitor, text
from tests.world import Person, World

TYPED = {
    "words": "Why <this> & that\nand more",
    "bio": "about me",
    "link_url_2": "https://me.example",
}
SECRETS = {
    "password": "horse 1", "current_password": "horse 2", "code": "135790",
    "current_code": "horse-3", "credential": "{horse 4}", "kept_code": "5 horses",
}  # fmt: skip
CHOSEN = {"act": "suspend", "days": "7"}
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, limits="default")


async def administrator(world: World) -> Person:
    ada = await world.person("ada")
    async with world.db.writing() as session:
        await session.execute(update(Account).values(role="administrator"))
    return ada


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send with the form of the page."""
    form = page.partition('<form class="form" method="post">')[2].partition("</form>")[0]
    inputs = re.findall(r'<input[^>]*? name="(\w+)"[^>]*? value="([^"]*)"', form)
    areas = re.findall(r'<textarea[^>]*? name="(\w+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    return {name: html.unescape(value) for name, value in inputs + areas}


def limited_routes(app: Quart) -> dict[str, object]:
    return {e: view for e, view in changing_routes(app).items() if hasattr(view, "limit")}


async def test_every_form_that_came_too_often_comes_back_without_its_secrets(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, routes = await administrator(world), limited_routes(world.app)
    assert len(routes) > 50
    for view in routes.values():
        monkeypatch.setattr(view, "limit", ("1/hour", lambda: "somebody"))
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint not in routes:
            continue
        path = re.sub(r"<[^>]*>", "7", rule.rule)
        await ada.submit(path)
        refused = await ada.submit(path, FROM_HERE, **TYPED, **SECRETS, **CHOSEN)
        assert refused.status_code == 429, path
        assert 3500 < int(refused.headers["Retry-After"]) <= 3600
        page = await text(refused)
        sent = fields_of(page)
        assert sent.pop("csrf_token") == ada.csrf
        assert sent == TYPED | CHOSEN, path
        assert not [secret for secret in SECRETS.values() if html.escape(secret) in page], path
        assert "Try again in " in page


async def test_from_the_page_that_refuses_it_a_form_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    view = world.app.view_functions["reports.report_person"]
    monkeypatch.setattr(view, "limit", ("1/hour", lambda: "somebody"))
    assert (await susan.submit("/@david/report", category="nothing")).status_code == 422
    given = {"category": "spam", "words": "He sells & sells."}
    refused = await susan.submit("/@david/report", FROM_HERE, **given)
    assert refused.status_code == 429
    again = fields_of(await text(refused))
    monkeypatch.undo()
    del again["csrf_token"]
    assert again == given
    assert (await susan.submit("/@david/report", FROM_HERE, **again)).status_code == 303
    assert david.id


async def test_no_page_sends_again_what_may_have_come_from_elsewhere(world: World) -> None:
    susan = await world.person("susan")
    stale = {"csrf_token": "of yesterday", "words": "mine"}
    foreign = {"Origin": "https://evil.example"}
    for headers, is_shown, has_button in (({}, True, False), (FROM_HERE, True, True),
                                          (foreign, False, False)):  # fmt: skip
        refused = await susan.client.post("/@susan/report", form=stale, headers=headers)
        page = await text(refused)
        assert refused.status_code == 403
        assert ("mine</textarea>" in page) is is_shown, headers
        assert ("Send again" in page) is has_button, headers


async def test_who_was_signed_out_meanwhile_keeps_any_words(world: World) -> None:
    susan = await world.person("susan")
    async with world.db.writing() as session:
        await session.execute(delete(LoginSession))
    refused = await susan.submit("/settings/profile", bio="All of my life", password="horse")
    page = await text(refused)
    assert refused.status_code == 401
    assert "All of my life</textarea>" in page
    assert "Copy it before you go on" in page
    assert "horse" not in page
    assert "It is kept:" in await text(await susan.submit("/posts", body="Hello"))


def test_every_field_that_people_write_in_comes_back_or_is_a_secret() -> None:
    written = set()
    for path in (ROOT / "templates").rglob("*.html"):
        found = re.findall(r"""\b(?:field|textarea)\(form, "(\w+)", .*""", path.read_text())
        areas = re.findall(r"""<textarea[^>]* name="(\w+)""", path.read_text())
        written |= {*found, *areas}
    assert {"bio", "password", "code", "body", "current_code"} < written
    for name in written - {"find"}:  # of a search, which is in the address
        assert (typed._SECRET.search(name) is None) is (name in {**typed.TEXTS, **typed.LINES}), (
            name
        )


async def test_a_visitor_who_registers_too_often_types_only_the_password_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = world.app.view_functions["register.create"]
    monkeypatch.setattr(view, "limit", ("1/hour", lambda: "somebody"))
    visitor = Visitor(world)
    page = await visitor.page("/register")
    given = {"username": "grace", "email": "grace@example.org", "password": "horse battery staple"}
    await visitor.sends(page, "/register")
    refused = await visitor.sends(page, "/register", FROM_HERE, **given)
    assert refused.status_code == 429
    again = fields_of(await text(refused))
    monkeypatch.undo()
    token = again.pop("csrf_token")
    assert again == {"username": "grace", "email": "grace@example.org"}
    answer = await visitor.client.post("/register", form={"csrf_token": token, **again})
    assert answer.status_code == 422
    assert 'value="grace@example.org"' in await text(answer)
