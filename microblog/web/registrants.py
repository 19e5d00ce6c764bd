"""Whether a mailed link is opened in the browser in which the account was asked for.

Somebody can register the address of another with a password of theirs, and that other press the
button in the mail.  Elsewhere the password is therefore chosen with the link: only who reads the
mail has it then (SECURITY 24).  It goes by the password that was typed, not by the address: a
stranger can register one after its owner has, and the newest link is the stranger's.
"""

from __future__ import annotations

from typing import TypeAlias

from quart import Response, after_this_request, request
from werkzeug.wrappers import Response as WerkzeugResponse

from microblog.kernel import tokens
from microblog.signin.registrations import LIFE
from microblog.site import site
from microblog.web.identity import cookie_name

AnyResponse: TypeAlias = Response | WerkzeugResponse


def remember(password_hash: str) -> None:
    """Say so with the answer to this request; for known addresses and new ones alike."""
    secure, mark = site().settings.https, _mark(password_hash)

    @after_this_request
    async def add(response: AnyResponse) -> AnyResponse:
        response.set_cookie(
            _cookie(), mark, max_age=LIFE, httponly=True, samesite="Lax", secure=secure
        )
        return response


def is_here(password_hash: str) -> bool:
    return tokens.same(request.cookies.get(_cookie(), ""), _mark(password_hash))


def _mark(password_hash: str) -> str:
    """Salted, so no two registrations have the same."""
    key = tokens.key_for(site().settings.secret_key, "registrant")
    return tokens.sign(key, password_hash)


def _cookie() -> str:
    return cookie_name("registrant", https=site().settings.https)
