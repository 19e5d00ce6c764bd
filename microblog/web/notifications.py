"""What one was told.  Looking changes nothing; the script says what was seen, or a button does."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, request

from microblog.kernel import events
from microblog.kernel.ids import LARGEST
from microblog.notifications import actions, queries
from microblog.notifications.queries import PAGE
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done
from microblog.web.limits import limited
from microblog.web.rendering import render

pages = Blueprint("notifications", __name__)


@pages.get("/notifications")
@member
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        here = await events.present(session)
        found = await queries.page(session, me().id, before=_before(), limit=PAGE + 1)
        unread = await queries.unread(session, me().id)
    older = f"/notifications?before={found[PAGE - 1].id}" if len(found) > PAGE else None
    return render(
        "notifications/index.html",
        notifications=found[:PAGE], position=str(here), next=older, unread=unread,
    )  # fmt: skip


@pages.post("/notifications/read")
@member
@limited("60/5 minutes")
async def read() -> ResponseReturnValue:
    async with site().db.writing() as session:
        await actions.read_all(session, me().id)
    return done("/notifications", unread=0)


def _before() -> int | None:
    """The place in the list; None, the top, for anything that is none."""
    written = request.args.get("before", "")
    if not (written.isascii() and written.isdigit() and len(written) < 20):
        return None
    return min(int(written), LARGEST)
