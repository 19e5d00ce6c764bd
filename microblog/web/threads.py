"""One post in its conversation, and what it said before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from quart import Blueprint, ResponseReturnValue, request

from microblog.accounts import queries as accounts
from microblog.imports import queries as imports
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session
from microblog.posts import queries as posts
from microblog.posts.differences import changes
from microblog.posts.queries import GONE, PostView
from microblog.site import reader_id, viewer
from microblog.timelines.queries import conversation
from microblog.web.access import public
from microblog.web.crossposts import of_mine
from microblog.web.identity import recognises, recognising
from microblog.web.pages import present, timeline
from microblog.web.paging import REPLIES, cut, place, post_id_in, under_true_name
from microblog.web.rendering import render

pages = Blueprint("threads", __name__)


@pages.get("/@<name>/<post_id>")
@public
@recognises
async def show(name: str, post_id: str) -> ResponseReturnValue:
    """The whole conversation, oldest first.  A deleted post is here as long as others answer it."""
    async with recognising() as session:
        focus = await _focus(session, name, post_id)
        if focus.author.name != name:
            return under_true_name(name, focus.author.name)
        here = await present(session)
        found, earlier = await _page(session, focus)
        ids, later = cut(found, REPLIES, "after")
        shown = await timeline(
            session, ids, position=here, stream=f"thread:{focus.id}", next_url=later,
            live=later is None, known=[focus],
        )  # fmt: skip
        copies = await of_mine(session, focus.id, focus.author.id)
        origin = None if focus.deleted else await imports.origin(session, focus.id)
    asking = viewer()
    mine = asking is not None and asking.id == focus.author.id and not focus.deleted
    return render(
        "posts/show.html", focus=focus, timeline=shown, earlier=earlier, form=None, can_edit=mine,
        copies=copies, origin=origin,
    )  # fmt: skip


@pages.get("/@<name>/<post_id>/history")
@public
@recognises
async def history(name: str, post_id: str) -> ResponseReturnValue:
    async with recognising() as session:
        post = await _focus(session, name, post_id)
        if post.author.name != name:
            return under_true_name(name, post.author.name)
        if post.deleted:
            raise NotFound(GONE)
        versions = await posts.versions(session, post)
    return render("posts/history.html", post=post, revisions=changes(versions))


async def _focus(session: Session, name: str, post_id: str) -> PostView:
    post = await posts.view(session, post_id_in(post_id), reader_id())
    gone = post.deleted and post.reply_count == 0
    if gone or not await _is_named(session, post, name):
        raise NotFound(GONE)
    return post


async def _is_named(session: Session, post: PostView, name: str) -> bool:
    """Or was, until not long ago."""
    if post.author.name.lower() == name.lower():
        return True
    try:
        return (await accounts.by_name(session, name)).id == post.author.id
    except NotFound:
        return False


async def _page(session: Session, focus: PostView) -> tuple[Sequence[int], str | None]:
    """The page with the post on it, or the one that ``?after=`` asks for; and the way back."""
    start = f"{focus.path}?after=0"
    after = place("after")
    ask = partial(conversation, session, focus.root_id, reader=reader_id(), limit=REPLIES + 1)
    page = await ask(after=after)
    if "after" in request.args:
        return page, start if after else None
    if focus.id in page[:REPLIES]:
        return page, None
    return await ask(after=focus.id - 1), start
