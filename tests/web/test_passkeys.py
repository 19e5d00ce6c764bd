from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from quart import Response
from sqlalchemy import select, update

from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import LoginSession, Passkey
from tests.moderation.conftest import with_role
from tests.signin.authenticator import PRESENT, Authenticator
from tests.signin.people import suspend
from tests.web.visitor import FROM_A_SECRET_PAGE, JSON, PASSWORD, Visitor, text
from tests.world import World

HERE = "/settings/passkeys"
LOGIN = "/login/with-passkey"
NOT_ACCEPTED = "That passkey was not accepted."


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


@pytest.fixture
async def key(ada: Visitor) -> Authenticator:
    """Ada's."""
    key = Authenticator()
    assert (await adds(ada, key)).status_code == 303
    return key


def options(page: str) -> str:
    found = re.search(r'data-options="([^"]+)"', page)
    assert found
    return html.unescape(found[1])


async def adds(visitor: Visitor, key: Authenticator, name: str = "A phone") -> Response:
    page = await visitor.page(HERE)
    return await visitor.sends(page, HERE, credential=key.creates(options(page)), name=name)


async def signs_in(visitor: Visitor, key: Authenticator, next_path: str = "") -> Response:
    page = await visitor.page(LOGIN)
    return await visitor.sends(page, LOGIN, credential=key.gets(options(page)), next=next_path)


async def test_a_passkey_signs_in(world: World, ada: Visitor, key: Authenticator) -> None:
    assert "A phone" in await ada.page(HERE)
    visitor = Visitor(world)
    answer = await signs_in(visitor, key, "/explore")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/explore")
    found = await visitor.who()
    assert found is not None
    assert found.name == "ada"
    assert "last used:" in await ada.page(HERE)


async def test_it_stands_for_both_factors(world: World, ada: Visitor, key: Authenticator) -> None:
    await ada.submit("/settings/two-factor/setup", page="/settings/two-factor")
    page = await ada.page("/settings/two-factor/setup")
    secret = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
    assert secret
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(now())
    await ada.sends(page, "/settings/two-factor", code=code)
    visitor = Visitor(world)
    await visitor.signs_in("ada", next="/explore")
    page = await visitor.page("/login/second-step")
    assert f'href="{LOGIN}?next=/explore"' in page
    answer = await signs_in(visitor, key, "/explore")
    assert answer.headers["Location"] == "/explore"
    assert await visitor.who() is not None


async def test_each_change_is_told_by_mail(world: World, ada: Visitor, key: Authenticator) -> None:
    async with world.db.reading() as session:
        found = await session.get(Passkey, await the_id(ada))
        assert found is not None
    answer = await ada.submit(f"{HERE}/remove", page=HERE, passkey=str(found.id))
    assert answer.headers["Location"] == HERE
    await world.settle()
    assert [one.subject for one in await world.letters()] == [
        "A passkey was added · Microblog",
        "A passkey was removed · Microblog",
    ]
    for letter in await world.letters():  # whoever it was not must know what helps
        assert "A new password leaves passkeys and two-factor sign-in as they are." in letter.text
        assert "Look at them, too: http://localhost/settings/account\r\n" in letter.text
        assert 'href="http://localhost/settings/account"' in letter.html
    answer = await signs_in(Visitor(world), key)
    assert answer.status_code == 422


async def the_id(visitor: Visitor) -> int:
    found = re.search(r'name="passkey" value="(\d+)"', await visitor.page(HERE))
    assert found
    return int(found[1])


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8000"},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"count": -1},
        {"key": Authenticator().key},
        {"id": b"of nobody here.."},
    ],
    ids=lambda lie: next(iter(lie)),
)
async def test_what_does_not_fit_is_not_accepted(
    world: World, ada: Visitor, key: Authenticator, lie: dict[str, object]
) -> None:
    async with world.db.writing() as session:
        await session.execute(update(Passkey).values(sign_count=5))
    key.count = 10
    liar = replace(key, **lie)  # type: ignore[arg-type]
    visitor = Visitor(world)
    answer = await signs_in(visitor, liar)
    assert answer.status_code == 422
    assert NOT_ACCEPTED in await text(answer)
    assert await visitor.who() is None
    assert (await signs_in(Visitor(world), key)).status_code == 303


async def test_an_answer_counts_in_its_browser_once_and_for_five_minutes(
    world: World, ada: Visitor, key: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await (visitor := Visitor(world)).page(LOGIN)
    answer = key.gets(options(page))
    other = Visitor(world)
    refused = await other.submit(LOGIN, credential=answer)  # to another challenge
    assert NOT_ACCEPTED in await text(refused)
    assert (await visitor.sends(page, LOGIN, credential=answer)).status_code == 303
    await visitor.submit("/logout", page="/settings/account")
    again = await visitor.submit(LOGIN, page="/login", credential=answer)
    assert again.status_code == 422
    assert "That took too long." in await text(again)
    page = await other.page(LOGIN)
    monkeypatch.setattr("microblog.web.challenges.LIFE", -1)
    page = await other.page(LOGIN)
    late = await other.sends(page, LOGIN, credential=key.gets(options(page)))
    assert late.status_code == 422


async def test_a_good_answer_does_not_come_back_with_its_cookie(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    """Passkeys that live on several devices do not count, so nothing else would tell."""
    key.count = -1  # the next is 0, as of those
    page = await (visitor := Visitor(world)).page(LOGIN)
    given = next(c.value or "" for c in visitor.client.cookie_jar if c.name == "challenge")
    answer = key.gets(options(page))
    assert (await visitor.sends(page, LOGIN, credential=answer)).status_code == 303
    thief = Visitor(world)
    page = await thief.page(LOGIN)
    thief.client.set_cookie("localhost", "challenge", given)
    again = await thief.sends(page, LOGIN, credential=answer)
    assert again.status_code == 422
    assert "That took too long." in await text(again)
    assert await thief.who() is None


async def test_a_challenge_of_one_purpose_serves_no_other(world: World, ada: Visitor) -> None:
    key = Authenticator()
    page = await Visitor(world).page(LOGIN)
    ours = await ada.page(HERE)
    ada.client.set_cookie("localhost", "challenge", "sign-in.99999999999.AAAA.0")
    answer = await ada.sends(ours, HERE, credential=key.creates(options(page)), name="x")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "credential",
    ["", "x", "{}", "[]", "null", '{"id": 1}', "[" * 5000, "x" * 30_000, '{"id":"\\ud800"}'],
)
async def test_garbage_is_refused_in_words(
    world: World, ada: Visitor, key: Authenticator, credential: str
) -> None:
    visitor = Visitor(world)
    answer = await visitor.submit(LOGIN, credential=credential)
    assert answer.status_code == 422
    assert NOT_ACCEPTED in await text(answer)
    answer = await ada.submit(HERE, credential=credential, name="x")
    assert answer.status_code == 422


async def test_parts_of_an_answer_may_be_garbage(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    for part in ("clientDataJSON", "authenticatorData", "signature", "rawId", '"id"'):
        visitor = Visitor(world)
        page = await visitor.page(LOGIN)
        answer = re.sub(
            rf'{part}"?: "[^"]*"', f'{part.strip(chr(34))}": "AAAA"', key.gets(options(page))
        )
        refused = await visitor.sends(page, LOGIN, credential=answer)
        assert refused.status_code == 422, part


async def test_the_same_passkey_is_not_added_twice_and_needs_a_name(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    assert (await adds(ada, key)).status_code == 409
    for name in ("", " ", "x" * 61):
        answer = await adds(ada, Authenticator(), name)
        assert answer.status_code == 422
        assert "Give it a name" in await text(answer)


async def test_nobody_removes_those_of_somebody_else(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    mallory = Visitor(world)
    await mallory.registers("mallory")
    for which in (str(await the_id(ada)), "x", "-1", "9" * 19, "9" * 40, ""):
        answer = await mallory.submit(f"{HERE}/remove", JSON, page=HERE, passkey=which)
        assert answer.status_code == 404
    assert (await signs_in(Visitor(world), key)).status_code == 303


async def test_the_suspended_do_not_sign_in_with_one_either(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    await suspend(world.db, 1)
    assert (await signs_in(Visitor(world), key)).status_code == 403


async def test_it_proves_once_more_who_is_there(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    await long_ago(world)
    refused = await ada.submit("/settings/sessions", end="others")
    page = await text(refused)
    assert refused.status_code == 403
    kept = {"next": "/settings/sessions", "kept_end": "others"}
    to = "/reauthenticate/with-passkey"
    answer = await ada.sends(page, to, credential=key.gets(options(page)), **kept)
    assert 'name="end" value="others"' in await text(answer)
    assert (await ada.submit("/settings/sessions", end="others")).status_code == 303


async def test_that_of_somebody_else_proves_nothing_and_one_may_try_again(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    grace, hers = Visitor(world), Authenticator()
    await grace.registers("grace")
    await adds(grace, hers)
    await long_ago(world)
    page = await ada.page("/reauthenticate")
    to = "/reauthenticate/with-passkey"
    answer = await ada.sends(page, to, credential=hers.gets(options(page)))
    page = await text(answer)
    assert answer.status_code == 422
    assert NOT_ACCEPTED in page
    assert (await ada.submit("/settings/sessions", end="others")).status_code == 403
    page = await ada.page("/reauthenticate")
    answer = await ada.sends(page, to, credential=key.gets(options(page)))
    assert answer.status_code == 303


async def test_after_a_refusal_the_page_asks_anew(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    visitor = Visitor(world)
    page = await text(await signs_in(visitor, Authenticator()))
    answer = await visitor.sends(page, LOGIN, credential=key.gets(options(page)))
    assert answer.status_code == 303


async def long_ago(world: World) -> None:
    async with world.db.writing() as session:
        before = now() - timedelta(hours=1)
        await session.execute(update(LoginSession).values(authenticated_at=before))


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    async def test_a_hundred_in_a_quarter_of_an_hour(self, world: World) -> None:
        visitor = Visitor(world)
        page = await visitor.page(LOGIN)
        answers = [(await visitor.sends(page, LOGIN)).status_code for _ in range(101)]
        assert set(answers[:100]) == {422}
        assert answers[100] == 429


async def test_the_only_way_in_is_not_removed(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    """Somebody who came through a provider has no password to come back with."""
    await adds(ada, Authenticator(), "A laptop")
    async with world.db.writing() as session:
        await session.execute(update(Account).values(password_hash=None))
        phone, laptop = await session.scalars(select(Passkey.id).order_by(Passkey.id))
    answer = await ada.submit(f"{HERE}/remove", page=HERE, passkey=str(phone))
    assert answer.status_code == 303  # the other one is left
    page = await ada.page(HERE)
    assert "Your only way in" in page
    assert 'name="passkey"' not in page
    answer = await ada.submit(f"{HERE}/remove", page=HERE, passkey=str(laptop))
    assert answer.status_code == 403
    assert "This is your only way in." in await text(answer)
    assert (await signs_in(Visitor(world), key)).status_code == 422  # the phone went
    assert "A laptop" in await ada.page(HERE)


async def test_a_passkey_leads_who_is_suspended_to_the_reason(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    mo, found = await with_role(world, "mo", "moderator"), await ada.who()
    assert found
    await mo.submit(f"/admin/people/{found.id}", act="suspend", reason="Adverts.")
    visitor = Visitor(world)
    link = (await signs_in(visitor, key)).headers["Location"]
    assert "Adverts." in await visitor.page(link)
    assert await visitor.who() is None


async def test_a_passkey_leads_back_who_is_leaving(
    world: World, ada: Visitor, key: Authenticator
) -> None:
    await ada.submit("/settings/leave", current_password=PASSWORD)
    visitor = Visitor(world)
    link = (await signs_in(visitor, key)).headers["Location"]
    assert link.startswith("/leave/undo/")
    assert await visitor.who() is None
    assert (await visitor.submit(link, FROM_A_SECRET_PAGE)).status_code == 303
    await signs_in(visitor, key)
    assert await visitor.who() is not None
