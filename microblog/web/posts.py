"""Writing, editing and deleting one's own posts."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, request

from microblog.crossposts.actions import withdraw
from microblog.kernel import events
from microblog.kernel.errors import NotFound
from microblog.kernel.events import Position
from microblog.kernel.model import Session
from microblog.posts import actions, queries
from microblog.posts.model import Post
from microblog.posts.queries import GONE, PostView
from microblog.site import me, site
from microblog.web import crossposts
from microblog.web.access import member
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.limits import account, limited
from microblog.web.paging import number, post_id_in
from microblog.web.rendering import fragment, render

pages = Blueprint("posts", __name__)


@pages.get("/posts/new")
@member
async def new() -> ResponseReturnValue:
    """An empty composer, or one that a link has filled (``?body=``, ``?in_reply_to=``)."""
    form = Form({"body": request.args.get("body", ""), "idempotency_key": ""})
    parent = None
    if answered := request.args.get("in_reply_to"):
        parent = await _standing(number(answered))
        form.values["body"] = form["body"] or _greeting(parent)
    return render("posts/new.html", form=form, parent=parent)


@pages.post("/posts")
@member
@limited("30/5 minutes", by=account)
async def create() -> ResponseReturnValue:
    form = await read_form("body", "in_reply_to", "idempotency_key", again=_composer)
    await crossposts.keep_choice(form)
    answered = form["in_reply_to"]
    async with site().db.writing() as session:
        post = await actions.publish(
            session, me().id, form["body"], limit=site().chosen.post_limit,
            in_reply_to=number(answered) or 0 if answered else None,
            idempotency_key=form["idempotency_key"],
        )  # fmt: skip
        await crossposts.share(session, post, form)
        here = await _reached(session)
    return await _done(post, here, status=201)


@pages.get("/posts/<post_id>/edit")
@member
async def edit(post_id: str) -> ResponseReturnValue:
    return await _editing(post_id, Form({"body": ""}))


@pages.post("/posts/<post_id>/edit")
@member
@limited("30/5 minutes", by=account)
async def update(post_id: str) -> ResponseReturnValue:
    form = await read_form("body", again=_editor)
    wanted = post_id_in(post_id)
    async with site().db.writing() as session:
        limit = site().chosen.post_limit
        post = await actions.edit(session, me().id, wanted, form["body"], limit=limit)
        here = await _reached(session)
    return await _done(post, here, status=200)


@pages.get("/posts/<post_id>/delete")
@member
async def confirm_deletion(post_id: str) -> ResponseReturnValue:
    post = await _own(post_id)
    async with site().db.reading() as session:
        copies = await crossposts.of_mine(session, post.id, post.author.id)
    there = [one for one in copies if one.may_be_there]
    return render("posts/delete.html", post=post, copies=there)


@pages.post("/posts/<post_id>/delete")
@member
@limited("60/5 minutes", by=account)
async def delete(post_id: str) -> ResponseReturnValue:
    """`asked` tells that there was a word about copies elsewhere, `everywhere` that they go too."""
    form, wanted = await read_form("asked", "everywhere"), post_id_in(post_id)
    async with site().db.writing() as session:
        if not form["asked"] and wants_json():
            await crossposts.refuse_with_copies(session, wanted)
        await actions.delete(session, me().id, wanted)
        await withdraw(session, wanted, everywhere=form.checked("everywhere"))
        here = await events.present(session)
    return done(f"/@{me().name}", id=str(wanted), position=str(here))


async def _reached(session: Session) -> Position | None:
    """Where the log stands now: for scripts, since a page will say so itself."""
    return await events.present(session) if wants_json() else None


async def _done(post: Post, here: Position | None, *, status: int) -> ResponseReturnValue:
    """See the post; or, for a script, everything needed to show it at once."""
    path = f"/@{me().name}/{post.id}"
    if here is None:
        return done(path)
    async with site().db.reading() as session:
        view = await queries.view(session, post.id, me().id)
    return done(path, status=status, id=str(post.id), position=str(here), html=fragment(view))


async def _composer(form: Form) -> str:
    """The composer once more.  The old key may have been used by then; a page gets a fresh one."""
    form.values["idempotency_key"] = ""
    answered = number(form["in_reply_to"])
    async with site().db.reading() as session:
        found = await queries.views(session, [answered] if answered else [], me().id)
    parent = found.get(answered or 0)
    standing = parent if parent and not parent.deleted else None
    return render("posts/new.html", form=form, parent=standing)


async def _editor(form: Form) -> str:
    return await _editing(str((request.view_args or {}).get("post_id", "")), form)


async def _editing(post_id: str, form: Form) -> str:
    post = await _own(post_id)
    form.values["body"] = form["body"] or post.body
    async with site().db.reading() as session:
        copies = await crossposts.of_mine(session, post.id, post.author.id)
    return render("posts/edit.html", form=form, post=post, copies=copies)


async def _own(written: str) -> PostView:
    async with site().db.reading() as session:
        post = await queries.own(session, me().id, post_id_in(written))
        return await queries.view(session, post.id, me().id)


async def _standing(post_id: int | None) -> PostView:
    async with site().db.reading() as session:
        post = await queries.view(session, post_id or 0, me().id)
    if post.deleted:
        raise NotFound(GONE)
    return post


def _greeting(parent: PostView) -> str:
    return "" if parent.author.id == me().id else f"@{parent.author.name} "
