"""The one-time link that makes the first administrator."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.kernel.errors import N_
from microblog.signin import claims
from microblog.site import me, site
from microblog.web import identity
from microblog.web.access import member, public
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.rendering import render

pages = Blueprint("claims", __name__)

APPOINTED = N_("You are the administrator of this site now.")


@pages.get("/admin/claim/<token>")
@public
async def show(token: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        await claims.require(session, token)
    return render("admin/claim.html", token=token)


@pages.post("/admin/claim/<token>")
@member
@limited("10/hour")
async def claim(token: str) -> ResponseReturnValue:
    async with writing_as_me() as session:
        renewed = await claims.claim(session, token, me().id, me().session_id)
    identity.sign_in(renewed, me().remembered)
    if not wants_json():
        await flash(translated(APPOINTED), "notice")
    return done("/")
