"""OpenID Connect: a provider that keeps to it, and one that lies in every way we know of."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from oidc_provider_mock import User, run_server_in_thread
from quart import Response
from sqlalchemy import func, select, update

from microblog.accounts.model import Account
from microblog.demo.pretenders import listening
from microblog.identities.model import Identity
from microblog.kernel.clock import now
from microblog.oauth import discovery, fetching
from microblog.providers import Provider
from microblog.settings import Settings
from microblog.signin.model import LoginSession
from tests.oauth import liar as lies
from tests.oauth.liar import Liar
from tests.web.travelling import confirmed, query, sent_to
from tests.web.visitor import Visitor, text
from tests.world import Person, World


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    discovery.forget()
    yield
    discovery.forget()


@pytest.mark.filterwarnings("ignore:get_jwt_config", "ignore:generate_user_info")
class TestARealOne:
    @pytest.fixture
    def settings(self, settings: Settings) -> Iterator[Settings]:
        ada = User(sub="1815", claims={
            "email": "ada@lovelace.example", "email_verified": True, "name": "Ada Lovelace",
            "preferred_username": "ada",
        })  # fmt: skip
        with run_server_in_thread(require_nonce=True, user_claims=[ada]) as server:
            issuer = f"http://localhost:{server.server_port}"
            club = Provider("club", "oidc", "The club", issuer, "us", "secret")
            yield replace(settings, providers=(club,))

    async def test_there_and_back_twice(self, world: World) -> None:
        visitor = Visitor(world)
        url = await sent_to(await visitor.client.get("/login/club"))
        answer = await visitor.client.get(await confirmed(url, sub="1815"))
        assert answer.status_code == 303, await text(answer)
        assert answer.headers["Location"] == "/login/club/name"
        page = await visitor.page("/login/club/name")
        assert 'value="ada"' in page
        assert 'value="Ada Lovelace"' in page
        await visitor.sends(page, "/login/club/name", username="ada")
        found = await visitor.who()
        assert found is not None
        assert found.email == "ada@lovelace.example"
        again = Visitor(world)
        url = await sent_to(await again.client.get("/login/club"))
        answer = await again.client.get(await confirmed(url, sub="1815"))
        assert answer.headers["Location"] == "/"
        assert (await again.who()) is not None

    async def test_denied_over_there(self, world: World) -> None:
        visitor = Visitor(world)
        url = await sent_to(await visitor.client.get("/login/club"))
        async with httpx2.AsyncClient() as there:
            answer = await there.post(url, data={"action": "deny"})
        back = answer.headers["Location"].removeprefix("http://localhost")
        page = await visitor.page(f"{back}&state={query(url)['state']}", 400)
        assert "did not confirm who you are" in page


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
async def settings(settings: Settings, liar: Liar) -> AsyncIterator[Settings]:
    async with listening(liar) as url:
        liar.url = url
        yield replace(settings, providers=(liar.provider,))


async def come_back(world: World, liar: Liar, **more: str) -> Response:
    visitor = Visitor(world)
    answer = await visitor.client.get("/login/club")
    if answer.status_code != 303:
        return answer
    asked = query(answer.headers["Location"])
    liar.nonce = asked["nonce"]
    back = {"code": "c", "state": asked["state"], **more}
    return await visitor.client.get("/login/club/callback", query_string=back)


async def refused(world: World, liar: Liar, status: int = 400, **more: str) -> str:
    before = time.monotonic()
    answer = await come_back(world, liar, **more)
    page = await text(answer)
    assert answer.status_code == status, page
    assert time.monotonic() - before < 10
    async with world.db.reading() as session:
        for model in (Account, Identity, LoginSession):
            assert await session.scalar(select(func.count()).select_from(model)) == 0
    return page


async def test_the_truth_is_believed(world: World, liar: Liar) -> None:
    answer = await come_back(world, liar, iss=liar.url)
    assert answer.headers["Location"] == "/login/club/name"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "them"}, {"aud": ["them"]}, {"aud": None},
        {"aud": ["us", "them"]}, {"aud": ["us", "them"], "azp": "them"}, {"azp": "them"},
        {"iss": "https://evil.example"}, {"iss": None}, {"exp": 1}, {"exp": None}, {"exp": "soon"},
        {"exp": True}, {"iat": 9_999_999_999}, {"iat": None}, {"sub": ""}, {"sub": None},
        {"sub": 7}, {"sub": "x" * 256}, {"sub": "a\0"}, {"at_hash": "AAAA"},
    ],
    ids=str,
)  # fmt: skip
async def test_wrong_claims(world: World, liar: Liar, claims: dict[str, Any]) -> None:
    liar.claims = claims
    assert "could not be relied on" in await refused(world, liar)


@pytest.mark.parametrize(
    "token",
    [
        lies.unsigned, lies.by_the_public_key, lies.by_a_key_of_its_own,
        lambda claims: lies.signed(claims, lies.OTHER_KEY),
        lambda claims: lies.signed(claims, kid="three"),
        lambda claims: lies.signed(claims)[:-4] + "AAAA",
        lies.with_a_critical_word,
        lambda _claims: "garbage", lambda _claims: "a.b.c", lambda _claims: "",
        lambda _claims: "é.é.é", lambda _claims: "W10.W10.W10",
    ],
    ids=[
        "alg none", "HMAC with the public key", "a key in the token", "another key", "unknown kid",
        "changed signature", "crit", "garbage", "dots", "none", "letters", "lists",
    ],
)  # fmt: skip
async def test_wrong_signatures(
    world: World, liar: Liar, token: Callable[[dict[str, Any]], str]
) -> None:
    liar.token = token
    assert "could not be relied on" in await refused(world, liar)


async def _error() -> Any:
    return "oops", 500


async def _slow() -> Any:
    await asyncio.sleep(3)
    return {}


async def _html() -> Any:
    return "<html>Welcome</html>"


async def _list() -> Any:
    return Response("[1]", mimetype="application/json")


async def _deep() -> Any:
    return Response("[" * 200_000, mimetype="application/json")


async def _huge() -> Any:
    return Response(b'{"access_token": "' + b"x" * 3_000_000, mimetype="application/json")


async def _bomb() -> Any:
    body = gzip.compress(b"x" * 1_000_000) * 50  # made quickly, since the time is short
    return Response(body, headers={"Content-Encoding": "gzip"}, mimetype="application/json")


async def _elsewhere() -> Any:
    return Response(status=307, headers={"Location": "http://127.0.0.1:1/token"})


async def _refusal() -> Any:
    return {"error": "invalid_grant"}, 400


async def _binary() -> Any:
    return Response(bytes(range(256)), mimetype="application/json")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (_error, 502), (_slow, 502), (_html, 400), (_list, 400), (_deep, 400), (_huge, 400),
        (_bomb, 400), (_elsewhere, 400), (_refusal, 400), (_binary, 400),
    ],
)  # fmt: skip
async def test_wrong_answers(
    world: World, liar: Liar, answer: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PATIENCE", 1.0)
    liar.answer = answer
    page = await refused(world, liar, status)
    assert ("does not answer just now" in page) == (status == 502)


@pytest.mark.parametrize(
    "facts",
    [
        {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"}, {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)  # fmt: skip
async def test_wrong_discovery(world: World, liar: Liar, facts: dict[str, Any]) -> None:
    liar.facts = facts
    assert "could not be relied on" in await refused(world, liar)


async def test_a_provider_that_is_down(world: World, liar: Liar) -> None:
    down = replace(liar.provider, issuer="http://127.0.0.1:9")
    world.site.settings = replace(world.site.settings, providers=(down,))
    assert "does not answer just now" in await refused(world, liar, 502)


async def test_an_answer_that_names_another_issuer(world: World, liar: Liar) -> None:
    """A mix-up (RFC 9207)."""
    await refused(world, liar, iss="https://evil.example")


async def test_an_answer_without_the_name_that_was_promised(world: World, liar: Liar) -> None:
    liar.facts = {"authorization_response_iss_parameter_supported": True}
    await refused(world, liar)


async def test_userinfo_about_somebody_else(world: World, liar: Liar) -> None:
    liar.claims = {"email": None}
    liar.about = {"sub": "1816", "email": "eve@example.org", "email_verified": True}
    await refused(world, liar)


@pytest.mark.parametrize(
    ("verified", "taken"), [(True, True), ("true", True), (False, False), (None, False), (1, True)]
)
async def test_an_address_counts_only_if_the_provider_vouches_for_it(
    world: World, liar: Liar, verified: Any, taken: bool
) -> None:
    liar.claims = {"email_verified": verified}
    visitor = Visitor(world)
    asked = query((await visitor.client.get("/login/club")).headers["Location"])
    liar.nonce = asked["nonce"]
    await visitor.client.get(f"/login/club/callback?code=c&state={asked['state']}")
    page = await visitor.page("/login/club/name")
    assert ("ada@lovelace.example" in page) is taken


async def test_an_address_that_cannot_stand_here_is_none(world: World, liar: Liar) -> None:
    liar.claims = {"email": "ada@localhost"}
    answer = await come_back(world, liar)
    assert answer.headers["Location"] == "/login/club/name"


async def test_a_new_key_is_read_once_it_is_named(
    world: World, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await come_back(world, liar)
    assert answer.status_code == 303
    monkeypatch.setattr(lies, "KEY", lies.OTHER_KEY)
    liar.token = lambda claims: lies.signed(claims, lies.OTHER_KEY)
    assert (await come_back(world, liar)).status_code == 400  # the same id: a forgery
    discovery.forget()
    assert (await come_back(world, liar)).status_code == 303


class TestProvingAgain:
    """Through a provider that is told to ask, and says when it did (`max_age`, `auth_time`)."""

    async def asked(self, world: World, liar: Liar) -> Person:
        """Ada, who has linked it and is asked who she is."""
        ada = await world.person("ada")
        url = await sent_to(await ada.submit("/settings/identities", link="club"))
        await self.comes_back(ada, liar, url, None)
        async with world.db.writing() as session:
            before = now() - timedelta(minutes=11)
            await session.execute(update(LoginSession).values(authenticated_at=before))
        page = await text(await ada.submit("/settings/sessions", end="others"))
        assert 'name="provider" value="club"' in page
        return ada

    async def comes_back(
        self, ada: Person, liar: Liar, url: str, at: float | None, sub: str = "77"
    ) -> Response:
        liar.claims = {"auth_time": at, "sub": sub}
        asked = query(url)
        liar.nonce = asked["nonce"]
        return await ada.get(f"/login/club/callback?code=c&state={asked['state']}")

    async def proves(
        self, ada: Person, liar: Liar, at: float | None, sub: str = "77", **kept: str
    ) -> Response:
        to = {"provider": "club", "next": "/settings/sessions"}
        url = await sent_to(await ada.submit("/reauthenticate/through", **to, **kept))
        assert (query(url)["prompt"], query(url)["max_age"]) == ("login", "0")
        return await self.comes_back(ada, liar, url, at, sub)

    async def is_proven(self, ada: Person) -> bool:
        async with ada.world.db.reading() as session:
            at = await session.scalar(select(func.max(LoginSession.authenticated_at)))
        return at is not None and now() - at < timedelta(minutes=1)

    async def test_now(self, world: World, liar: Liar) -> None:
        ada = await self.asked(world, liar)
        answer = await self.proves(ada, liar, time.time())
        assert answer.headers["Location"] == "/settings/sessions"
        assert await self.is_proven(ada)

    @pytest.mark.parametrize("ago", [3600.0, None])
    async def test_long_ago_or_nobody_says_when(
        self, world: World, liar: Liar, ago: float | None
    ) -> None:
        """The page that asks comes again, with what waits on it and the other ways."""
        ada = await self.asked(world, liar)
        at = time.time() - ago if ago is not None else None
        answer = await self.proves(ada, liar, at, kept_end="others")
        page = await text(answer)
        assert answer.status_code == 400
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "did not ask you again" in page
        assert 'name="kept_end" value="others"' in page
        assert "Send a code to ada@example.org" in page
        assert not await self.is_proven(ada)

    async def test_as_somebody_else(self, world: World, liar: Liar) -> None:
        ada = await self.asked(world, liar)
        assert (await self.proves(ada, liar, time.time(), "78")).status_code == 400
        assert not await self.is_proven(ada)

    async def test_what_was_typed_is_kept_on_the_way(self, world: World, liar: Liar) -> None:
        ada = await self.asked(world, liar)
        answer = await self.proves(ada, liar, time.time(), kept_email="new@example.org")
        page = await text(answer)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert 'action="/settings/sessions"' in page
        assert 'name="email" value="new@example.org"' in page

    async def test_what_is_too_long_for_a_cookie_is_not_kept(
        self, world: World, liar: Liar
    ) -> None:
        ada = await self.asked(world, liar)
        answer = await self.proves(ada, liar, time.time(), kept_text="x" * 2000)
        assert answer.headers["Location"] == "/settings/sessions"

    @pytest.mark.parametrize(("ago", "status"), [(1.0, 303), (3600.0, 403), (None, 403)])
    async def test_a_sign_in_counts_if_it_asked(
        self, world: World, liar: Liar, ago: float | None, status: int
    ) -> None:
        await self.asked(world, liar)
        again = Visitor(world)
        liar.claims = {"sub": "77", "auth_time": time.time() - ago if ago else None}
        asked = query(await sent_to(await again.client.get("/login/club")))
        liar.nonce = asked["nonce"]
        answer = await again.client.get(f"/login/club/callback?code=c&state={asked['state']}")
        assert answer.headers["Location"] == "/"
        assert (await again.submit("/settings/sessions", end="0")).status_code == status
