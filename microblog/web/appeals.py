"""An appeal, by the link in the mail about what was done.  Who is suspended cannot sign in."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, ResponseReturnValue

from microblog.kernel import tokens
from microblog.moderation import appeals, queries
from microblog.site import site
from microblog.web.access import public
from microblog.web.answers import done
from microblog.web.forms import Form, read_form
from microblog.web.limits import address, limited
from microblog.web.rendering import render

pages = Blueprint("appeals", __name__)


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
