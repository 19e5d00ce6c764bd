"""Devices on which somebody has signed in before keep a limit of their own for failures.

Whoever guesses at an account from the same network can use up that network's tries, and must not
lock its owner out (SECURITY 39).  The cookie opens nothing: it only says which count to use.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypeAlias

from quart import Response, after_this_request, request
from werkzeug.wrappers import Response as WerkzeugResponse

from microblog.kernel import tokens
from microblog.site import site
from microblog.web.identity import cookie_name

AnyResponse: TypeAlias = Response | WerkzeugResponse

KEPT = timedelta(days=365)


def known_device(account_id: int) -> str | None:
    """The id of this device, if the account has signed in on it before."""
    written = request.cookies.get(_cookie(), "")
    about, _dot, signature = written.rpartition(".")
    if not tokens.same(signature, tokens.sign(_key(), about)):
        return None
    owner, _dot, device = about.partition(".")
    return device if owner == str(account_id) else None


def remember_device(account_id: int) -> None:
    """Say so with the answer to this request."""
    about = f"{account_id}.{tokens.new_token()}"
    secure = site().settings.https

    @after_this_request
    async def add(response: AnyResponse) -> AnyResponse:
        response.set_cookie(
            _cookie(), f"{about}.{tokens.sign(_key(), about)}",
            max_age=KEPT, httponly=True, samesite="Lax", secure=secure,
        )  # fmt: skip
        return response


def _cookie() -> str:
    return cookie_name("device", https=site().settings.https)


def _key() -> bytes:
    return tokens.key_for(site().settings.secret_key, "device")
