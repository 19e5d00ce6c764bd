"""The public part of the moderators' log, for members."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue

from microblog.moderation import queries
from microblog.moderation.queries import PAGE
from microblog.site import site
from microblog.web.access import member
from microblog.web.paging import cut, place
from microblog.web.rendering import render

pages = Blueprint("moderation", __name__)


@pages.get("/about/moderation")
@member
async def show() -> ResponseReturnValue:
    async with site().db.reading() as session:
        found = await queries.entries(session, public=True, before=place("before"))
    _, older = cut([entry.id for entry in found], PAGE)
    return render("admin/public_log.html", entries=found[:PAGE], next=older)
