"""Whether a mailed link is opened in the browser in which the account was asked for.

Somebody can register the address of another with a password of theirs, and that other press the
button in the mail.  Elsewhere the password is therefore chosen with the link: only who reads the
mail has it then (SECURITY 24).
"""

from __future__ import annotations

from typing import TypeAlias

from quart import Response, after_this_request, request
from werkzeug.wrappers import Response as WerkzeugResponse

from microblog.accounts import addresses
from microblog.kernel import tokens
from microblog.signin.registrations import LIFE
from microblog.site import site
from microblog.web.identity import cookie_name

AnyResponse: TypeAlias = Response | WerkzeugResponse


def remember(email: str) -> None:
    """Say so with the answer to this request; for known addresses and new ones alike."""
    secure = site().settings.https

    @after_this_request
    async def add(response: AnyResponse) -> AnyResponse:
        response.set_cookie(
            _cookie(), _mark(email), max_age=LIFE, httponly=True, samesite="Lax", secure=secure
        )
        return response


def is_here(email: str) -> bool:
    return tokens.same(request.cookies.get(_cookie(), ""), _mark(email))


def _mark(email: str) -> str:
    key = tokens.key_for(site().settings.secret_key, "registrant")
    return tokens.sign(key, addresses.key(email))


def _cookie() -> str:
    return cookie_name("registrant", https=site().settings.https)
