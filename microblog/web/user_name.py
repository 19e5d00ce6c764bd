"""Another @name; links with the old one go on working."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, redirect

from microblog.accounts import actions as accounts
from microblog.kernel.errors import N_
from microblog.site import me
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.forms import read_form
from microblog.web.limits import account, check, hit, limited
from microblog.web.reauthentication import recently_authenticated
from microblog.web.settings import account_page, saved

pages = Blueprint("user_name", __name__)

CHANGES = "5/day"  # what is refused, since a name is taken, is none
RENAMED = N_("Your name is changed. Links with the old one lead to you for a year.")


@pages.get("/settings/name")
@member
@recently_authenticated
async def show() -> ResponseReturnValue:
    """After the question who is there; the form stands on the account page."""
    return redirect("/settings/account", 303)


@pages.post("/settings/name")
@member
@recently_authenticated
@limited("60/hour")
async def rename() -> ResponseReturnValue:
    form = await read_form("username", again=account_page)
    changes = f"name of {account()}"
    async with writing_as_me() as session:  # in one's turn: of many at once only so many are left
        await check(CHANGES, changes)
        await accounts.rename(session, me().id, form["username"])
        await hit(CHANGES, changes)
    return await saved("/settings/account", RENAMED)
