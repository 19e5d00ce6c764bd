"""Following and unfollowing, as a button on a page or from a script.

Whose account is private is asked; the same button takes the wish back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from quart import Blueprint, ResponseReturnValue

from microblog.accounts import queries as accounts
from microblog.follows import actions, queries
from microblog.kernel.model import Session
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done
from microblog.web.forms import read_form
from microblog.web.limits import account, limited
from microblog.web.redirects import safe_path

pages = Blueprint("follows", __name__)


@pages.post("/@<name>/follow")
@member
@limited("100/hour", by=account)
async def follow(name: str) -> ResponseReturnValue:
    return await _change(name, actions.follow)


@pages.post("/@<name>/unfollow")
@member
@limited("100/hour", by=account)
async def unfollow(name: str) -> ResponseReturnValue:
    site().settled.pop(me().id, None)
    return await _change(name, actions.unfollow)


async def _change(
    name: str, act: Callable[[Session, int, int], Awaitable[object]]
) -> ResponseReturnValue:
    form = await read_form("next")
    async with site().db.writing() as session:
        followed = await accounts.by_name(session, name)
        await act(session, me().id, followed.id)
        tie = await queries.tie(session, me().id, followed.id)
        counts = await queries.counts(session, followed.id)
    back = safe_path(form["next"]) if form["next"] else f"/@{followed.name}"
    return done(back, following=tie, followers=counts.followers)
