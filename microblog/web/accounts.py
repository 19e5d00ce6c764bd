"""Profiles, and lists of people around one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from quart import Blueprint, ResponseReturnValue

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.backlinks import queries as backlinks
from microblog.follows import queries as follows
from microblog.follows.queries import Tie
from microblog.kernel import web_addresses
from microblog.kernel.model import Session
from microblog.posts import queries as posts
from microblog.posts import visibility
from microblog.site import reader_id, viewer
from microblog.timelines import queries as timelines
from microblog.web.access import public
from microblog.web.identity import recognises, recognising
from microblog.web.pages import present, timeline
from microblog.web.paging import PEOPLE, POSTS, cut, place, under_true_name
from microblog.web.rendering import render

pages = Blueprint("accounts", __name__)

_SAID = ("pronouns", "location", "avatar_alt", "header", "header_alt", "header_focus")


@pages.get("/@<name>")
@public
@recognises
async def show(name: str) -> ResponseReturnValue:
    before = place("before")
    async with recognising() as session:
        account = await accounts.by_name(session, name)
        if account.name != name:
            return under_true_name(name, account.name)
        here = await present(session)
        found = await _posts(session, account, before)
        ids, older = cut(found, POSTS)
        stream = f"account:{account.id}"
        shown = await timeline(
            session, ids, position=here, stream=stream, next_url=older, live=before is None
        )
        facts = await _facts(session, account)
    return render("accounts/show.html", timeline=shown, **facts)


@pages.get("/@<name>/card")
@public
@recognises
async def card(name: str) -> ResponseReturnValue:
    """What `hover-card` shows beside a name: a part of a page."""
    async with recognising() as session:
        account = await accounts.by_name(session, name)
        if account.name != name:
            return under_true_name(name, account.name)
        facts = await _facts(session, account)
    return render("accounts/card.html", path=f"/@{account.name}", **facts)


@pages.get("/@<name>/followers")
@public
@recognises
async def followers(name: str) -> ResponseReturnValue:
    return await _people(name, "followers")


@pages.get("/@<name>/following")
@public
@recognises
async def following(name: str) -> ResponseReturnValue:
    return await _people(name, "following")


async def _posts(session: Session, account: Account, before: int | None) -> Sequence[int]:
    if not await visibility.shows(session, account, reader_id()):
        return []
    return await timelines.by_author(session, account.id, before=before, limit=POSTS + 1)


async def _facts(session: Session, account: Account) -> dict[str, object]:
    """What a profile says besides its posts."""
    following, followers = await follows.counts(session, account.id)
    counts = {"following": following, "followers": followers}
    is_open = await visibility.shows(session, account, reader_id())
    if is_open:  # how often somebody posts says that they do
        counts["posts"] = await posts.count_by(session, account.id)
    asking = viewer()
    is_me = asking is not None and asking.id == account.id
    ties: dict[str, object] = {"follows": False, "follows_you": False}
    if asking and not is_me:
        ties["follows"] = await follows.tie(session, asking.id, account.id)
        ties["follows_you"] = await follows.follows(session, account.id, asking.id)
    ties |= {"is_open": is_open, "is_private": account.private_at is not None}
    who = {"person": accounts.card_of(account), "joined": account.created_at}
    verified = await backlinks.verified_of(session, account.id) if account.links else {}
    links = _shown(account.links, verified)
    said = {field: getattr(account, field) for field in _SAID} | {"links": links}
    return {**who, **said, "counts": counts, "is_me": is_me, **ties}


def _shown(
    links: Sequence[Sequence[str]], verified: Mapping[str, datetime | None]
) -> list[tuple[str, str, str, datetime | None]]:
    """Label, address, the address as it is shown, and since when it is known to link back."""
    return [
        (label, url, web_addresses.shown(urlsplit(url)), verified.get(url)) for label, url in links
    ]


async def _people(name: str, kind: str) -> ResponseReturnValue:
    async with recognising() as session:
        account = await accounts.by_name(session, name)
        if account.name != name:
            return under_true_name(name, account.name)
        is_open = await visibility.shows(session, account, reader_id())
        listed = follows.followers if kind == "followers" else follows.following
        found: Sequence[int] = []
        if is_open:
            found = await listed(session, account.id, before=place("before"), limit=PEOPLE + 1)
        ids, more = cut(found, PEOPLE)
        cards = await accounts.cards(session, ids)
        people = [cards[one] for one in ids if one in cards]
        ties = await _ties(session, set(ids))
    return render(
        "accounts/people.html",
        person=accounts.card_of(account), kind=kind, people=people, ties=ties, next=more,
        is_open=is_open, is_me=account.id == reader_id(),
    )  # fmt: skip


async def _ties(session: Session, among: set[int]) -> dict[int, Tie]:
    """Whom of them the reader follows, or has asked."""
    asking = viewer()
    return await follows.ties_among(session, asking.id, among) if asking else {}
