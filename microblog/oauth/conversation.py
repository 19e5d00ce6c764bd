"""There and back: the address to send a browser to, and what its return tells.

Authorization code with PKCE S256 for every provider.  Authlib writes and reads the requests;
`state`, `nonce` and `verifier` are ours, and it is the caller who keeps them with the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from microblog.kernel import tokens
from microblog.kernel.text import one_line
from microblog.oauth import discovery, id_tokens
from microblog.oauth.dialects import DIALECTS
from microblog.oauth.failures import Declined, Doubtful
from microblog.oauth.fetching import asked, client, patiently
from microblog.oauth.vouched import Vouched
from microblog.providers import Provider

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

_OPENID = "openid profile email"
LONGEST_PICTURE = 1000  # characters of its address, which travels in a cookie
_DECLINED = frozenset(
    {"access_denied", "consent_required", "login_required", "interaction_required"}
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """256 bits each; good for one journey."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Secrets:
        return cls(tokens.new_token(), tokens.new_token(), tokens.new_token())


async def address(
    provider: Provider,
    redirect_uri: str,
    secrets: Secrets,
    *,
    prove_again: bool = False,
    posting: bool = False,
) -> str:
    """Where to send the browser.  `prove_again`: a session that is open there is not enough.
    `posting`: to be allowed to post for them, too (`granted`)."""
    # Facebook does not ask again for what was declined before, unless it is told to.
    again = posting and provider.kind == "facebook"
    extra: dict[str, Any] = {"auth_type": "rerequest"} if again else {}
    async with patiently(), opened(provider, redirect_uri, posting=posting) as session:
        to = provider.authorize_url
        if provider.kind == "oidc":
            to = (await discovery.described(session, provider)).facts["authorization_endpoint"]
            extra = {"nonce": secrets.nonce}
            if prove_again:
                extra |= {"prompt": "login", "max_age": "0"}
        url, _state = session.create_authorization_url(
            to, state=secrets.state, code_verifier=secrets.verifier, **extra
        )
    return str(url)


async def returned(
    provider: Provider, redirect_uri: str, secrets: Secrets, answer: Mapping[str, str]
) -> Vouched:
    """Who has come home; raises `JourneyFailed`.  Whoever calls has compared the state."""
    code = code_in(answer)
    async with patiently(), opened(provider, redirect_uri) as session:
        if provider.kind == "oidc":
            return _checked(await _by_openid(session, provider, secrets, code, answer.get("iss")))
        await exchange(session, provider.token_url, secrets, code)
        return await who(session, provider)


async def who(session: AsyncOAuth2Client, provider: Provider) -> Vouched:
    """Whose token it is, of a provider without OpenID."""
    return _checked(await DIALECTS[provider.kind].who(session, provider))


def code_in(answer: Mapping[str, str]) -> str:
    if "error" in answer:
        kind = Declined if answer["error"] in _DECLINED else Doubtful
        raise kind("the provider answered with an error")
    if not (code := answer.get("code", "")):
        raise Doubtful("no code")
    return code


async def _by_openid(
    session: AsyncOAuth2Client, provider: Provider, secrets: Secrets, code: str, iss: str | None
) -> Vouched:
    about = await discovery.described(session, provider)
    if (iss is not None or about.names_itself) and iss != about.issuer:
        raise Doubtful("the answer names another issuer")
    session.token_endpoint_auth_method = _auth_method(about.facts)
    token = await exchange(session, about.facts["token_endpoint"], secrets, code)
    claims = await _claims(session, provider, about, token, secrets.nonce)
    if "email" not in claims and about.facts.get("userinfo_endpoint"):
        told = await asked(session, about.facts["userinfo_endpoint"])
        if told.get("sub") != claims["sub"]:
            raise Doubtful("userinfo is about somebody else")
        claims = told | claims
    return _vouched(provider.issuer, claims)


async def exchange(
    session: AsyncOAuth2Client, url: str, secrets: Secrets, code: str
) -> Mapping[str, Any]:
    token: Mapping[str, Any] = await session.fetch_token(
        url, grant_type="authorization_code", code=code, code_verifier=secrets.verifier
    )
    if not isinstance(token.get("access_token"), str):
        raise Doubtful("no access token")
    return token


async def _claims(
    session: AsyncOAuth2Client,
    provider: Provider,
    about: discovery.Described,
    token: Mapping[str, Any],
    nonce: str,
) -> dict[str, Any]:
    written = token["id_token"]
    said = id_tokens.header(written)
    keys = await discovery.keys(session, about, said.get("kid"))
    claims = id_tokens.signed(written, keys)
    id_tokens.check(
        claims, issuer=about.issuer, client_id=provider.client_id, nonce=nonce,
        access_token=token["access_token"], alg=said["alg"],
    )  # fmt: skip
    return claims


def _auth_method(facts: Mapping[str, Any]) -> str:
    """As the provider says; Basic where it says nothing (Discovery §3)."""
    known = facts.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"


def _vouched(issuer: str, claims: Mapping[str, Any]) -> Vouched:
    def text(name: str) -> str:
        value = claims.get(name)
        return value[:255] if isinstance(value, str) else ""

    verified = claims.get("email_verified") in (True, "true")  # some write it as a word
    proven = claims.get("auth_time")
    return Vouched(
        issuer, claims["sub"], text("preferred_username"), text("name"),
        text("email") if verified else None,
        float(proven) if isinstance(proven, int | float) else None,
        picture if isinstance(picture := claims.get("picture"), str) else "",
    )  # fmt: skip


def _checked(found: Vouched) -> Vouched:
    """In words that a page can show and a database keep."""
    if not (found.subject and found.subject.isprintable()):
        raise Doubtful("no subject")
    is_fit = len(found.picture) <= LONGEST_PICTURE and found.picture.isprintable()
    return replace(
        found, email=found.email or None, picture=found.picture if is_fit else "",
        name=one_line(found.name), display_name=one_line(found.display_name),
    )  # fmt: skip


def opened(provider: Provider, redirect_uri: str, *, posting: bool = False) -> Any:  # noqa: ANN401
    """A context manager: a client for one journey."""
    dialect = DIALECTS.get(provider.kind)
    scope = dialect.scope if dialect else _OPENID
    return client(
        provider,
        redirect_uri=redirect_uri,
        scope=dialect.posting if dialect and posting else scope,
        token_endpoint_auth_method=dialect.auth_method if dialect else None,
        code_challenge_method="S256",
    )
