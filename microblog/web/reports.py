"""Telling the moderators of a person or a post."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, ResponseReturnValue, flash

from microblog.accounts import queries as accounts
from microblog.accounts.queries import PersonCard
from microblog.kernel.errors import N_, NotFound
from microblog.moderation import reports
from microblog.moderation.reports import CATEGORIES
from microblog.posts import queries as posts
from microblog.posts.queries import GONE, PostView
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import account, limited
from microblog.web.paging import post_id_in
from microblog.web.rendering import render

pages = Blueprint("reports", __name__)

THANKS = N_("Thank you. A moderator looks at it, and you hear what came of it.")


@pages.get("/@<name>/report")
@member
async def of_person(name: str) -> ResponseReturnValue:
    return await _page(_empty(), person=await _person(name), post=None)


@pages.post("/@<name>/report")
@member
@limited("20/hour", by=account)
async def report_person(name: str) -> ResponseReturnValue:
    person = await _person(name)
    return await _filed(person, None, f"/@{person.name}")


@pages.get("/posts/<post_id>/report")
@member
async def of_post(post_id: str) -> ResponseReturnValue:
    post = await _post(post_id)
    return await _page(_empty(), person=post.author, post=post)


@pages.post("/posts/<post_id>/report")
@member
@limited("20/hour", by=account)
async def report_post(post_id: str) -> ResponseReturnValue:
    post = await _post(post_id)
    return await _filed(post.author, post, post.path)


async def _filed(person: PersonCard, post: PostView | None, url: str) -> ResponseReturnValue:
    form = await read_form("category", "words", again=partial(_page, person=person, post=post))
    async with site().db.writing() as session:
        await reports.file(
            session, me().id, person.id, category=form["category"], words=form["words"],
            post_id=post.id if post else None,
        )  # fmt: skip
    if not wants_json():
        await flash(translated(THANKS), "notice")
    return done(url)


async def _person(name: str) -> PersonCard:
    async with site().db.reading() as session:
        found = await accounts.card(session, (await accounts.by_name(session, name)).id)
    if found is None:
        raise NotFound
    return found


async def _post(written: str) -> PostView:
    async with site().db.reading() as session:
        post = await posts.view(session, post_id_in(written), me().id)
    if post.deleted:
        raise NotFound(GONE)
    return post


def _empty() -> Form:
    return Form({"category": "", "words": ""})


async def _page(form: Form, *, person: PersonCard, post: PostView | None) -> str:
    return render("reports/new.html", form=form, person=person, post=post, categories=CATEGORIES)
