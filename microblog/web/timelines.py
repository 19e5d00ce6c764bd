"""What people read: home, the front page for visitors, everything, and everything under a tag."""

from __future__ import annotations

import time
from urllib.parse import quote

from quart import Blueprint, ResponseReturnValue, redirect

from microblog.accounts import queries as accounts
from microblog.accounts.queries import PersonCard
from microblog.follows import queries as follows
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session
from microblog.posts.text import tag_key
from microblog.signin.queries import Viewer
from microblog.site import site, viewer
from microblog.timelines import queries
from microblog.web.access import public
from microblog.web.identity import recognises, recognising
from microblog.web.pages import present, timeline
from microblog.web.paging import POSTS, cut, place
from microblog.web.rendering import render

PREVIEW = 10
SUGGESTED = 8
SETTLED = 50  # who follows this many finds people by themselves
SETTLED_FOR = 600.0  # s; some of those may leave meanwhile

pages = Blueprint("timelines", __name__)


@pages.get("/")
@public
@recognises
async def home() -> ResponseReturnValue:
    async with recognising() as session:
        asking = viewer()
        return await (_home(session, asking) if asking else _front(session))


@pages.get("/explore")
@public
@recognises
async def explore() -> ResponseReturnValue:
    async with recognising() as session:
        before, here = place("before"), await present(session)
        found = await queries.public(session, before=before, limit=POSTS + 1)
        ids, older = cut(found, POSTS)
        shown = await timeline(
            session, ids, position=here, stream="public", next_url=older, live=before is None
        )
    return render("timelines/explore.html", timeline=shown)


@pages.get("/tags/<tag>")
@public
async def tag(tag: str) -> ResponseReturnValue:
    key = tag_key(tag)
    if key is None:
        raise NotFound
    if key != tag:
        return redirect(f"/tags/{quote(key, safe='')}")
    before = place("before")
    async with site().db.reading() as session:
        here = await present(session)
        found = await queries.tagged(session, key, before=before, limit=POSTS + 1)
        ids, older = cut(found, POSTS)
        shown = await timeline(
            session, ids, position=here, stream=f"tag:{key}", next_url=older, live=before is None
        )
    return render("timelines/tag.html", tag=key, timeline=shown)


async def _home(session: Session, asking: Viewer) -> str:
    before = place("before")
    here = await present(session)
    found = await queries.home(session, asking.id, before=before, limit=POSTS + 1)
    ids, older = cut(found, POSTS)
    shown = await timeline(
        session, ids, position=here, stream="home", next_url=older, live=before is None
    )
    people = [] if before else await _suggested(session, asking)
    return render("timelines/home.html", timeline=shown, form=None, people=people)


async def _suggested(session: Session, asking: Viewer) -> list[PersonCard]:
    """People to follow, for those who follow few; asking costs as much as one follows."""
    if site().settled.get(asking.id, 0.0) > time.monotonic():
        return []
    known = await follows.following(session, asking.id, limit=SETTLED)
    if len(known) == SETTLED:
        site().settled[asking.id] = time.monotonic() + SETTLED_FOR
        return []
    return await accounts.suggestions(session, asking.id, set(known), SUGGESTED)


async def _front(session: Session) -> str:
    here = await present(session)
    ids = await queries.public(session, limit=PREVIEW)
    shown = await timeline(session, ids, position=here, stream="public")
    return render("front/show.html", timeline=shown)
