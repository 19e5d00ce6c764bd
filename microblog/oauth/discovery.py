"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0), and its public keys.

Kept for an hour in memory; keys are asked for again when a token names one that is not there, at
most once a minute.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from microblog.oauth.failures import Doubtful
from microblog.oauth.fetching import asked
from microblog.providers import Provider

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

FRESH = 3600.0
AGAIN = 60.0
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(slots=True)
class Described:
    """`keys` are JSON Web Keys as they came."""

    facts: dict[str, Any]
    read_at: float
    keys: list[dict[str, Any]] = field(default_factory=list)
    keys_at: float | None = None

    @property
    def issuer(self) -> str:
        return str(self.facts["issuer"])

    @property
    def names_itself(self) -> bool:
        """In its answers (RFC 9207), so that one of another provider cannot pass for its own."""
        return self.facts.get("authorization_response_iss_parameter_supported") is True


_known: dict[str, Described] = {}


async def described(session: AsyncOAuth2Client, provider: Provider) -> Described:
    kept = _known.get(provider.issuer)
    if kept is not None and time.monotonic() - kept.read_at < FRESH:
        return kept
    url = provider.issuer + "/.well-known/openid-configuration"
    facts = await asked(session, url, signed=False)
    if str(facts.get("issuer")).rstrip("/") != provider.issuer:
        raise Doubtful("discovery names another issuer")
    for name in _ADDRESSES:
        _check_address(str(facts.get(name, "")), provider)
    _known[provider.issuer] = Described(facts, time.monotonic())
    return _known[provider.issuer]


async def keys(
    session: AsyncOAuth2Client, found: Described, wanted: str | None
) -> list[dict[str, Any]]:
    """The provider's keys, read again if `wanted` (a key's id) is not among them."""
    age = time.monotonic() - found.keys_at if found.keys_at is not None else FRESH
    missing = wanted is not None and all(key.get("kid") != wanted for key in found.keys)
    if age >= FRESH or (missing and age >= AGAIN):
        written = await asked(session, found.facts["jwks_uri"], signed=False)
        found.keys = [key for key in written["keys"] if isinstance(key, dict)]
        found.keys_at = time.monotonic()
    return found.keys


def forget() -> None:
    """What was read; for tests, in which providers come and go at one address."""
    _known.clear()


def _check_address(url: str, provider: Provider) -> None:
    """No provider on TLS can send us, or the browser, to an address without it."""
    if urlsplit(url).scheme not in ("https", urlsplit(provider.issuer).scheme):
        raise Doubtful("discovery has an address without TLS")
