"""How GitHub, Facebook and X tell who somebody is: OAuth 2 alone says nothing of that."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from microblog.oauth.failures import Doubtful
from microblog.oauth.fetching import asked
from microblog.oauth.vouched import Vouched
from microblog.providers import Provider

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client


@dataclass(frozen=True, slots=True)
class Dialect:
    """`posting` is the scope that is asked for to post for somebody, apart from signing in."""

    scope: str
    auth_method: str
    who: Callable[[AsyncOAuth2Client, Provider], Awaitable[Vouched]]
    posting: str = ""


async def github(session: AsyncOAuth2Client, provider: Provider) -> Vouched:
    found = await asked(session, f"{provider.api_url}/user")
    return Vouched(
        provider.issuer, _number(found, "id"), _text(found, "login"), _text(found, "name"),
        await _github_email(session, provider), picture=_address(found.get("avatar_url")),
    )  # fmt: skip


async def _github_email(session: AsyncOAuth2Client, provider: Provider) -> str | None:
    """The first address that is confirmed there; somebody may have kept them all from us."""
    answer = await session.request("GET", f"{provider.api_url}/user/emails")
    listed = json.loads(answer.content) if answer.status_code == 200 else []
    ours = [each for each in listed if isinstance(each, dict) and each.get("verified") is True]
    primary = [each for each in ours if each.get("primary") is True]
    return next((_text(each, "email") for each in primary + ours), "") or None


async def facebook(session: AsyncOAuth2Client, provider: Provider) -> Vouched:
    """Its e-mail addresses may be missing, and none is said to be confirmed: none is taken."""
    found = await graph(session, provider, "/me", fields="id,name,picture.width(400).height(400)")
    shown = _inner(found, "picture", "data")
    picture = "" if shown.get("is_silhouette") else _address(shown.get("url"))
    return Vouched(provider.issuer, _text(found, "id"), "", _text(found, "name"), picture=picture)


async def graph(
    session: AsyncOAuth2Client, provider: Provider, path: str, **query: str
) -> dict[str, Any]:
    """The proof shows that the token came to the app whose secret we have."""
    access_token = str(session.token["access_token"])
    proof = hmac.digest(provider.client_secret.encode(), access_token.encode(), "sha256").hex()
    asks = urlencode(query | {"appsecret_proof": proof})
    return await asked(session, f"{provider.api_url}{path}?{asks}")


async def x(session: AsyncOAuth2Client, provider: Provider) -> Vouched:
    """It tells no e-mail address, and of the picture a small one; the larger has another name."""
    url = f"{provider.api_url}/2/users/me?user.fields=profile_image_url"
    found = (await asked(session, url))["data"]
    name, shown = _text(found, "username"), _text(found, "name")
    picture = _address(found.get("profile_image_url")).replace("_normal.", "_400x400.")
    return Vouched(provider.issuer, _text(found, "id"), name, shown, picture=picture)


DIALECTS: Mapping[str, Dialect] = {
    "github": Dialect("read:user user:email", "client_secret_post", github),
    "facebook": Dialect(
        "public_profile", "client_secret_post", facebook,
        posting="public_profile pages_show_list pages_manage_posts",
    ),
    "x": Dialect(
        "tweet.read users.read", "client_secret_basic", x,
        posting="tweet.read tweet.write users.read offline.access",
    ),
}  # fmt: skip


def _text(found: Mapping[str, Any], name: str) -> str:
    """At most 255 characters; "" where there is none."""
    value = found.get(name)
    return value[:255] if isinstance(value, str) else ""


def _address(value: object) -> str:
    return value if isinstance(value, str) else ""


def _inner(found: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """What stands inside, one name after the other; nothing where something else does."""
    for name in names:
        inside = found.get(name)
        found = inside if isinstance(inside, dict) else {}
    return found


def _number(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Doubtful(f"no {name}")
    return str(value)
