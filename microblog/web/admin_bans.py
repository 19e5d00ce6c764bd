"""Names, domains and ranges of addresses that nobody may come with.  Administrators only."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue

from microblog.accounts import bans as listed
from microblog.moderation import bans
from microblog.site import me, site
from microblog.web import client
from microblog.web.access import administrator
from microblog.web.acting import writing_as_me
from microblog.web.answers import done
from microblog.web.forms import Form, read_form
from microblog.web.limits import limited
from microblog.web.paging import PEOPLE, cut, place, post_id_in
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render

pages = Blueprint("admin_bans", __name__)


@pages.get("/admin/bans")
@administrator
async def index() -> ResponseReturnValue:
    return await _page(Form({"kind": "domain", "value": ""}))


@pages.post("/admin/bans")
@administrator
@recently_authenticated
@limited("300/hour")
async def create() -> ResponseReturnValue:
    form = await read_form("kind", "value", again=_page)
    async with writing_as_me() as session:
        await bans.ban(session, me().id, form["kind"], form["value"], address=client.address())
    return done("/admin/bans")


@pages.post("/admin/bans/<ban_id>/delete")
@administrator
@recently_authenticated
@limited("300/hour")
async def delete(ban_id: str) -> ResponseReturnValue:
    async with writing_as_me() as session:
        await bans.unban(session, me().id, post_id_in(ban_id))
    return done("/admin/bans")


async def _page(form: Form) -> str:
    async with site().db.reading() as session:
        found = await listed.newest(session, before=place("before"), limit=PEOPLE + 1)
    _, older = cut([one.id for one in found], PEOPLE)
    return render("admin/bans.html", form=form, bans=found[:PEOPLE], next=older)
