"""Bringing along a list of people to follow, from another site or from a copy of one's own."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, request

from microblog.follows import lists
from microblog.follows.lists import BITE, Outcome
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.forms import Form, read_form
from microblog.web.guard import hosts
from microblog.web.limits import limited
from microblog.web.rendering import render

pages = Blueprint("following_lists", __name__)


@pages.get("/settings/import")
@member
async def show() -> ResponseReturnValue:
    return await _page(Form())


@pages.post("/settings/import")
@member
@limited("10/day")
async def bring() -> ResponseReturnValue:
    """The file is read here and kept nowhere; its name is of no interest."""
    await read_form(again=_page)
    sent = (await request.files).get("list")
    wanted = lists.read(sent.read() if sent else b"")
    outcome = Outcome()
    for start in range(0, len(wanted), BITE):
        async with site().db.writing() as session:
            await lists.follow_some(
                session, me().id, wanted[start : start + BITE], hosts=_names(), outcome=outcome
            )
    return render("settings/imported.html", outcome=outcome)


def _names() -> set[str]:
    """Of this site, with and without its port."""
    settings = site().settings
    return {settings.host, *(host.lower() for host in hosts(settings))}


async def _page(form: Form) -> str:
    return render("settings/import.html", form=form, most=lists.MOST)
