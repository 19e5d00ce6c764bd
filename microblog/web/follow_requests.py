"""Who asks to follow one, and one's followers: letting in, declining, removing."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.accounts import queries as accounts
from microblog.follows import actions, queries
from microblog.kernel.errors import N_, Invalid
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import account, limited
from microblog.web.paging import PEOPLE, cut, place
from microblog.web.redirects import safe_path
from microblog.web.rendering import render

pages = Blueprint("follow_requests", __name__)

ANSWERS = {"accept": actions.accept, "decline": actions.decline}
ACCEPTED = N_("@%(name)s follows you now.")
DECLINED = N_("Declined. @%(name)s is not told.")
REMOVED = N_("@%(name)s does not follow you any more, and is not told.")
CHOOSE = N_("Choose what to do.")


@pages.get("/follow-requests")
@member
async def index() -> ResponseReturnValue:
    return await _page(Form())


@pages.post("/follow-requests/<name>")
@member
@limited("300/hour", by=account)
async def answer(name: str) -> ResponseReturnValue:
    """Answering what is answered already changes nothing."""
    form = await read_form("answer", again=_page)
    if (act := ANSWERS.get(form["answer"])) is None:
        raise Invalid("", CHOOSE)
    async with site().db.writing() as session:
        asking = await accounts.by_name(session, name)
        done_now = await act(session, me().id, asking.id)
    said = ACCEPTED if form["answer"] == "accept" else DECLINED
    return await _told("/follow-requests", said if done_now else "", asking.name)


@pages.post("/followers/<name>/remove")
@member
@limited("300/hour", by=account)
async def remove(name: str) -> ResponseReturnValue:
    form = await read_form("next")
    async with site().db.writing() as session:
        follower = await accounts.by_name(session, name)
        removed = await actions.unfollow(session, follower.id, me().id)
    back = safe_path(form["next"]) if form["next"] else f"/@{me().name}/followers"
    return await _told(back, REMOVED if removed else "", follower.name)


async def _told(url: str, sentence: str, name: str) -> ResponseReturnValue:
    if sentence and not wants_json():
        await flash(translated(sentence, {"name": name}), "notice")
    return done(url)


async def _page(form: Form) -> str:
    async with site().db.reading() as session:
        found = await queries.waiting(session, me().id, before=place("before"), limit=PEOPLE + 1)
        ids, more = cut(found, PEOPLE)
        cards = await accounts.cards(session, ids)
    people = [cards[one] for one in ids if one in cards]
    return render("accounts/requests.html", form=form, people=people, next=more)
