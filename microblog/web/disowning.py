"""The link in a mail about a new sign-in: this was not me."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.identities import actions as identities
from microblog.kernel.errors import N_
from microblog.signin import entrance, user_agents
from microblog.site import site, viewer
from microblog.web import identity
from microblog.web.access import public
from microblog.web.answers import done, wants_json
from microblog.web.languages import translated
from microblog.web.limits import address, limited
from microblog.web.links import expired
from microblog.web.rendering import render

pages = Blueprint("disowning", __name__)

ENDED = N_("Every device is signed out.")


@pages.get("/not-me/<token>")
@public
async def show(token: str) -> ResponseReturnValue:
    """Looking does nothing: mail scanners look too."""
    async with site().db.reading() as session:
        told = await entrance.notice(session, token)
    if told is None:
        return expired()
    return render(
        "signin/not_me.html", token=token, at=told.created_at,
        browser=user_agents.browser(told.user_agent), system=user_agents.system(told.user_agent),
    )  # fmt: skip


@pages.post("/not-me/<token>")
@public
@limited("30/hour", by=address)
async def disown(token: str) -> ResponseReturnValue:
    async with site().db.writing() as session:
        told = await entrance.notice(session, token)
        if told is None:
            return expired()
        account_id, since = told.account_id, told.created_at
        await identities.forget_since(session, account_id, since)
        await entrance.disown(session, account_id, since)
    if (asking := viewer()) is not None and asking.id == account_id:
        identity.sign_out()
    if not wants_json():
        await flash(translated(ENDED), "notice")
    return done("/password/forgot/sent" if site().settings.has_passwords else "/login")
