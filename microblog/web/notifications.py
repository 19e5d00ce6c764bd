"""What one was told.  Looking changes nothing; the script says what was seen, or a button does."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue

from microblog.follows import queries as follows
from microblog.notifications import actions, queries
from microblog.notifications.queries import PAGE
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done
from microblog.web.limits import limited
from microblog.web.pages import present
from microblog.web.paging import cut, place
from microblog.web.rendering import render

pages = Blueprint("notifications", __name__)


@pages.get("/notifications")
@member
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        here = await present(session)
        found = await queries.page(session, me().id, before=place("before"), limit=PAGE + 1)
        unread = await queries.unread(session, me().id)
        waiting = await follows.how_many_wait(session, me().id)
    _, older = cut([one.id for one in found], PAGE)
    return render(
        "notifications/index.html",
        notifications=found[:PAGE], position=str(here), next=older, unread=unread, waiting=waiting,
    )  # fmt: skip


@pages.post("/notifications/read")
@member
@limited("60/5 minutes")
async def read() -> ResponseReturnValue:
    async with site().db.writing() as session:
        await actions.read_all(session, me().id)
    return done("/notifications", unread=0)
