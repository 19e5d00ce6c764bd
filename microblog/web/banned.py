"""From a banned range of addresses nobody signs in or up, whichever way; reading is open to all."""

from __future__ import annotations

from quart import Quart, request

from microblog.accounts import bans
from microblog.kernel.errors import N_, Forbidden
from microblog.site import site
from microblog.web import client

SHUT = N_("From your network nobody can sign in or create an account here.")

_WAYS_IN = ("/login", "/register", "/join", "/confirm", "/password")


def install(app: Quart) -> None:
    @app.before_request
    async def enforce() -> None:
        if not request.path.startswith(_WAYS_IN):
            return
        async with site().db.reading() as session:
            shut = await bans.is_shut_out(session, client.address())
        if shut:
            raise Forbidden(SHUT)
