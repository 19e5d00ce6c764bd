"""Copies of one's posts on other sites: choosing them when writing, and what to do about those that
did not work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from quart import Blueprint, ResponseReturnValue, request

from microblog.crossposts import actions
from microblog.crossposts import queries as crossposts
from microblog.crossposts.model import Crosspost
from microblog.crossposts.queries import CrosspostView
from microblog.kernel.errors import N_, Conflict
from microblog.kernel.model import Session
from microblog.posts.model import Post
from microblog.site import me, site, viewer
from microblog.web.access import member
from microblog.web.answers import done
from microblog.web.forms import Form
from microblog.web.limits import limited
from microblog.web.paging import number, post_id_in

Act: TypeAlias = Callable[[Session, int, int], Awaitable[Crosspost]]

pages = Blueprint("crossposts", __name__)

MOST_WANTED = 20
COPIED = N_("This post was copied to other sites. Say what is to become of the copies.")


@pages.post("/crossposts/<crosspost_id>/retry")
@member
@limited("60/hour")
async def retry(crosspost_id: str) -> ResponseReturnValue:
    return await _done(actions.retry, crosspost_id)


@pages.post("/crossposts/<crosspost_id>/dismiss")
@member
@limited("120/hour")
async def dismiss(crosspost_id: str) -> ResponseReturnValue:
    return await _done(actions.dismiss, crosspost_id)


async def keep_choice(form: Form) -> None:
    """Which places were switched on under the text, in `form` as digits between spaces; None of
    it where no switch was offered."""
    sent = await request.form
    if "share" in sent:
        found = {number(one) for one in sent.getlist("share")[: MOST_WANTED + 1]} - {None}
        form.values["share"] = " ".join(str(one) for one in sorted(filter(None, found)))


async def share(session: Session, post: Post, form: Form) -> None:
    if "share" in form.values:
        wanted = {int(one) for one in form["share"].split()}
        await actions.share(session, post, wanted, site().settings.base_url)


async def of_mine(session: Session, post_id: int, author_id: int) -> tuple[CrosspostView, ...]:
    """What their author is shown under a post; nothing for anybody else."""
    asked = viewer()
    if asked is None or asked.id != author_id:
        return ()
    return await crossposts.crossposts_of(session, post_id)


async def refuse_with_copies(session: Session, post_id: int) -> None:
    """A script that asked in place is to lead to the page that asks about copies, too."""
    post = await session.get(Post, post_id)
    copies = await of_mine(session, post_id, post.author_id) if post else ()
    if any(one.may_be_there for one in copies):
        raise Conflict("confirm", COPIED)


async def _done(act: Act, crosspost_id: str) -> ResponseReturnValue:
    async with site().db.writing() as session:
        found = await act(session, me().id, post_id_in(crosspost_id))
        where = await _where(session, found)
    return done(where)


async def _where(session: Session, found: Crosspost) -> str:
    """Its post, or the page that lists what is left of deleted ones."""
    if await crossposts.stands(session, found.post_id):
        return f"/@{me().name}/{found.post_id}"
    return "/settings/sharing"
