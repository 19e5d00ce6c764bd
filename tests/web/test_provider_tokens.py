"""What providers hand out to sign somebody in is forgotten once they are (SECURITY 25)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.settings import Settings
from tests.oauth import liar as lies
from tests.oauth.liar import Liar
from tests.web.travelling import confirmed, query, returns_from, sent_to
from tests.web.visitor import Visitor
from tests.world import World


@pytest.fixture
async def pretenders() -> Pretenders:
    return Pretenders()


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    liar = Liar()
    async with listening(liar) as liar.url:
        yield liar


@pytest.fixture
async def settings(
    settings: Settings, pretenders: Pretenders, liar: Liar
) -> AsyncIterator[Settings]:
    async with listening(pretenders) as url:
        yield replace(settings, providers=(*providers_at(url), liar.provider))


def kept(folder: Path) -> bytes:
    """Everything on the disk: the database with its journal, mails, pictures."""
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def carried(visitor: Visitor) -> bytes:
    """Everything in the browser, as written and as meant."""
    values = [(cookie.value or "").partition(".")[0] for cookie in visitor.client.cookie_jar]
    whole = [value + "=" * (-len(value) % 4) for value in values if len(value) % 4 != 1]
    written = [base64.urlsafe_b64decode(value) for value in whole]
    return b"\n".join([*written, *(value.encode() for value in values)])


async def test_no_token_of_a_provider_is_kept(
    world: World, pretenders: Pretenders, liar: Liar
) -> None:
    visitor = Visitor(world)
    await returns_from(visitor, "github", person="grace")
    browsers = [carried(visitor)]
    await visitor.submit("/login/github/name", username="grace", display_name="")
    for provider in ("facebook", "x"):
        page = await visitor.page("/settings/identities")
        answer = await visitor.sends(page, "/settings/identities", link=provider)
        await visitor.client.get(await confirmed(await sent_to(answer), person="grace"))
        browsers.append(carried(visitor))
        await returns_from(Visitor(world), provider, person="grace")
    there = Visitor(world)
    asked = query((await there.client.get("/login/club")).headers["Location"])
    liar.nonce = asked["nonce"]
    await there.client.get(f"/login/club/callback?code=a-code&state={asked['state']}")
    browsers.append(carried(there))
    everything = kept(world.site.settings.data_dir) + b"\n".join(browsers)
    assert b"grace" in everything
    assert len(pretenders.access) == 5
    for token in [*pretenders.access, lies.ACCESS, "a-code"]:
        assert token.encode() not in everything
