"""What people said against what was done to them, for somebody else to decide."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.kernel.errors import N_
from microblog.moderation import appeals, queries
from microblog.site import me, site
from microblog.web.access import moderator
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.paging import post_id_in
from microblog.web.rendering import render

pages = Blueprint("admin_appeals", __name__)

DECIDED = N_("Decided. They hear of it by mail.")


@pages.get("/admin/appeals")
@moderator
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        found = await queries.appeals(session)
        decidable = await appeals.decidable(session, me().id, me().role, found)
    return render("admin/appeals.html", appeals=found, decidable=decidable)


@pages.post("/admin/appeals/<entry_id>")
@moderator
@limited("300/hour")
async def decide(entry_id: str) -> ResponseReturnValue:
    """`decision` is "grant"; anything else leaves what was done."""
    granted = (await read_form("decision"))["decision"] == "grant"
    async with writing_as_me() as session:
        await appeals.decide(session, me().id, post_id_in(entry_id), granted=granted)
    if not wants_json():
        await flash(translated(DECIDED), "notice")
    return done("/admin/appeals")
