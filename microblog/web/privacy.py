"""For whom one's posts are."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue

from microblog.follows import queries as follows
from microblog.kernel.errors import N_, Invalid
from microblog.posts import privacy, visibility
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.forms import Form, read_form
from microblog.web.limits import limited
from microblog.web.rendering import render
from microblog.web.settings import saved

pages = Blueprint("privacy", __name__)

SWITCHES = {"everybody": privacy.make_public, "followers": privacy.make_private}
CHOOSE = N_("Choose one of the list.")


@pages.get("/settings/privacy")
@member
async def show() -> ResponseReturnValue:
    return await _page(Form())


@pages.post("/settings/privacy")
@member
@limited("20/day")
async def change() -> ResponseReturnValue:
    form = await read_form("audience", again=_page)
    if (switch := SWITCHES.get(form["audience"])) is None:
        raise Invalid("audience", CHOOSE)
    async with site().db.writing() as session:
        await switch(session, me().id)
    return await saved("/settings/privacy")


async def _page(form: Form) -> str:
    async with site().db.reading() as session:
        private = await visibility.is_private(session, me().id)
        waiting = await follows.how_many_wait(session, me().id)
    form.values.setdefault("audience", "followers" if private else "everybody")
    return render("settings/privacy.html", form=form, waiting=waiting)
