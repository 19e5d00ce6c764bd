"""What is asked of every provider that is known by name, and of one that is not (SECURITY 22)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from microblog import providers
from microblog.demo.pretenders import listening
from microblog.oauth import conversation, discovery
from microblog.oauth.conversation import Secrets
from microblog.oauth.failures import Doubtful
from microblog.oauth.vouched import Vouched
from microblog.providers import Provider
from tests.oauth.liar import Liar
from tests.web.travelling import query

KEYS = {"CLIENT_ID": "us", "CLIENT_SECRET": "secret"}
PRESETS = sorted(providers._PRESETS)
BACK = "https://social.example/login/x/callback"


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    discovery.forget()
    yield
    discovery.forget()


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    liar = Liar()
    async with listening(liar) as liar.url:
        yield liar


def provider(name: str, liar: Liar) -> Provider:
    """As it is preset; what is described elsewhere is described by the liar."""
    known = liar.provider if name == "oidc" else providers.preset(name, KEYS)
    return replace(known, issuer=liar.url) if known.kind == "oidc" else known


@pytest.mark.parametrize("how", [{}, {"prove_again": True}, {"posting": True}], ids=str)
@pytest.mark.parametrize("name", [*PRESETS, "oidc"])
async def test_every_way_there_has_state_and_s256(
    name: str, how: dict[str, bool], liar: Liar
) -> None:
    secrets = Secrets.new()
    known = provider(name, liar)
    asked = query(await conversation.address(known, BACK, secrets, **how))
    digest = hashlib.sha256(secrets.verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert (asked["state"], asked["redirect_uri"]) == (secrets.state, BACK)
    assert asked.get("nonce") == (secrets.nonce if known.kind == "oidc" else None)
    assert secrets.verifier not in str(asked)


def test_presets_are_on_tls() -> None:
    for name in PRESETS:
        known = providers.preset(name, KEYS)
        for url in (known.issuer, known.authorize_url, known.token_url, known.api_url):
            assert url.startswith("https://") or not url


@pytest.mark.parametrize(
    "where", ["http://10.0.0.1/token", "http://169.254.169.254/", "http://localhost:22/"]
)
async def test_what_a_provider_names_besides_itself_must_be_public(where: str, liar: Liar) -> None:
    """The issuer is the operator's word and may be a neighbour; what it says is not."""
    liar.facts = {"token_endpoint": where}
    known = provider("oidc", liar)
    with pytest.raises(Doubtful):
        await conversation.returned(known, BACK, Secrets.new(), {"code": "c"})


def test_what_no_database_takes_is_made_plain_or_refused() -> None:
    who = Vouched("https://club.example", "7", "a\0da", "A\0da \ud800", picture="https://x/\0")
    found = conversation._checked(who)
    assert (found.name, found.display_name, found.picture) == ("ada", "Ada ?", "")
    for subject in ("7\0", "\ud800", ""):
        with pytest.raises(Doubtful):
            conversation._checked(replace(who, subject=subject))
