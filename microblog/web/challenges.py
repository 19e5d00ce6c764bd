"""What a passkey signs: random, for one purpose, in one browser, within five minutes.

It travels in a signed cookie, for nobody needs a row before they have shown a key; it is taken away
with the answer.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from quart import Response, after_this_request, request
from werkzeug.wrappers import Response as WerkzeugResponse

from microblog.kernel import clock, tokens
from microblog.kernel.errors import N_, Invalid
from microblog.signin.passkeys import RelyingParty
from microblog.site import site
from microblog.web.identity import cookie_name

AnyResponse = Response | WerkzeugResponse

LIFE = 300  # seconds
STALE = N_("That took too long. Try again.")


def relying_party() -> RelyingParty:
    """The host as the browser wrote it: one of ours (`web.guard`)."""
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


def spent(purpose: str) -> bytes:
    """The one given to this browser, which forgets it; raises Invalid("credential")."""
    about, _dot, signature = request.cookies.get(_cookie(), "").rpartition(".")
    _set("", 0)
    if not tokens.same(signature, tokens.sign(_key(), about)):
        raise Invalid("credential", STALE)
    made_for, ends, challenge = about.split(".")
    if made_for != purpose or int(ends) < clock.now().timestamp():
        raise Invalid("credential", STALE)
    return urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))


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
