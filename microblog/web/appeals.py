"""An appeal, by the link in the mail about what was done, or from the list of what was done to
oneself.  Who is suspended cannot sign in."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, ResponseReturnValue

from microblog.kernel import tokens
from microblog.moderation import appeals, queries
from microblog.moderation.queries import PAGE
from microblog.site import me, site
from microblog.web.access import member, public
from microblog.web.answers import done
from microblog.web.forms import Form, read_form
from microblog.web.limits import address, limited
from microblog.web.paging import cut, place
from microblog.web.rendering import render

pages = Blueprint("appeals", __name__)


@pages.get("/appeals")
@member
async def index() -> ResponseReturnValue:
    """What was done to one's own account, for those whom no mail reaches, too."""
    async with site().db.reading() as session:
        found = await queries.done_to(session, me().id, place("before"))
        filed = await appeals.filed(session, [entry.id for entry in found])
    _, older = cut([entry.id for entry in found], PAGE)
    links = {
        entry.id: f"/appeals/{appeals.token(site().appeal_key, entry.id)}"
        for entry in found
        if entry.act in appeals.APPEALABLE
    }
    return render("appeals/index.html", entries=found[:PAGE], next=older, links=links, filed=filed)


@pages.get("/appeals/<token>")
@public
async def show(token: str) -> ResponseReturnValue:
    return await _page(Form({"words": ""}), token=token)


@pages.post("/appeals/<token>")
@public
@limited("10/hour", by=address)
async def file(token: str) -> ResponseReturnValue:
    form = await read_form("words", again=partial(_page, token=token))
    async with site().db.writing() as session:
        entry = await appeals.entry_of(session, _keys(), token)
        await appeals.file(session, entry, form["words"])
    return done(f"/appeals/{token}")


async def _page(form: Form, *, token: str) -> str:
    async with site().db.reading() as session:
        found = await appeals.entry_of(session, _keys(), token)
        entry = await queries.entry(session, found.id)
        appeal = await appeals.appeal_of(session, found.id)
    return render("appeals/show.html", form=form, token=token, entry=entry, appeal=appeal)


def _keys() -> list[bytes]:
    """The present key, and the one before a rotation."""
    old = site().settings.secret_key_old
    return [site().appeal_key, *([tokens.key_for(old, "appeal")] if old else [])]
