"""What a passkey signs: random, for one purpose, in one browser, once, within five minutes.

It travels in a signed cookie, for nobody needs a row before they have shown a key; it is taken away
with the answer, and a row keeps it from coming back once an answer to it was good.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from quart import Response, after_this_request, request
from werkzeug.wrappers import Response as WerkzeugResponse

from microblog.identities import actions as identities
from microblog.kernel import clock, later, tokens
from microblog.kernel.errors import N_, Conflict, Invalid
from microblog.kernel.model import Session
from microblog.signin.passkeys import NEEDED, RelyingParty
from microblog.site import site
from microblog.web.identity import cookie_name

AnyResponse = Response | WerkzeugResponse

LIFE = 300  # seconds
STALE = N_("That took too long. Try again.")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One that came back to us, in time and to the browser that it was given to."""

    signed: bytes
    ends_at: datetime


async def relying_party() -> RelyingParty:
    """The host as the browser wrote it: one of ours (`web.guard`).  What checks passkeys is loaded
    by then."""
    await later.load(*NEEDED)
    origin = request.host_url.rstrip("/")
    if site().settings.https:
        origin = site().settings.base_url
    return RelyingParty(urlsplit(origin).hostname or "", origin, site().chosen.name)


def new(purpose: str) -> bytes:
    """Goes with the answer to this request."""
    challenge = secrets.token_bytes(32)
    ends = int(clock.now().timestamp()) + LIFE
    about = f"{purpose}.{ends}.{urlsafe_b64encode(challenge).decode()}"
    _set(f"{about}.{tokens.sign(_key(), about)}", LIFE)
    return challenge


def returned(purpose: str) -> Challenge:
    """The one given to this browser, which forgets it; raises Invalid("credential")."""
    about, _dot, signature = request.cookies.get(_cookie(), "").rpartition(".")
    _set("", 0)
    if not tokens.same(signature, tokens.sign(_key(), about)):
        raise Invalid("credential", STALE)
    made_for, ends, challenge = about.split(".")
    if made_for != purpose or int(ends) < clock.now().timestamp():
        raise Invalid("credential", STALE)
    signed = urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
    return Challenge(signed, datetime.fromtimestamp(int(ends), UTC))


async def spend(session: Session, challenge: Challenge) -> bytes:
    """What was to be signed, the one time it may be; raises Invalid("credential")."""
    try:
        await identities.spend(session, challenge.signed.hex(), challenge.ends_at)
    except Conflict as error:
        raise Invalid("credential", STALE) from error
    return challenge.signed


def _set(value: str, life: int) -> None:
    secure = site().settings.https

    @after_this_request
    async def add(response: AnyResponse) -> AnyResponse:
        response.set_cookie(
            _cookie(), value, max_age=life, httponly=True, samesite="Lax", secure=secure
        )
        return response


def _cookie() -> str:
    return cookie_name("challenge", https=site().settings.https)


def _key() -> bytes:
    return tokens.key_for(site().settings.secret_key, "challenge")
