"""Links by which one brings others along."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.admissions import invitations, queries
from microblog.admissions.queries import PAGE, InvitationView
from microblog.kernel.errors import N_, Forbidden
from microblog.kernel.model import Session
from microblog.site import me, site
from microblog.web import admitting
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import Again, Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.paging import cut, number, place, post_id_in
from microblog.web.rendering import render

pages = Blueprint("invitations", __name__)

MADE = N_("Here it is: copy the link and hand it on.")
WITHDRAWN = N_("Withdrawn. Who came by it stays.")
NOT_YOURS = N_("On this site your role does not make invitations.")
FIELDS = ("note", "uses", "days")
USUAL = {"note": "", "uses": "1", "days": "7"}


@pages.get("/settings/invitations")
@member
async def index() -> ResponseReturnValue:
    return await _page(Form(dict(USUAL)))


@pages.post("/settings/invitations")
@member
@limited("30/hour")
async def create() -> ResponseReturnValue:
    return await made(_page, "/settings/invitations")


@pages.post("/settings/invitations/<invitation_id>/withdraw")
@member
@limited("120/hour")
async def withdraw(invitation_id: str) -> ResponseReturnValue:
    async with writing_as_me() as session:
        await invitations.withdraw(session, me().id, post_id_in(invitation_id))
    return await told(WITHDRAWN, "/settings/invitations")


async def made(again: Again, url: str) -> ResponseReturnValue:
    form = await read_form(*FIELDS, again=again)
    if not admitting.may_invite():
        raise Forbidden(NOT_YOURS)
    async with writing_as_me() as session:
        await invitations.create(
            session, me().id, note=form["note"], uses=number(form["uses"]),
            days=number(form["days"]), most=site().chosen.invitations_each,
        )  # fmt: skip
    return await told(MADE, url)


async def told(sentence: str, url: str) -> ResponseReturnValue:
    if not wants_json():
        await flash(translated(sentence), "notice")
    return done(url)


async def listed(
    session: Session, account_id: int | None = None
) -> tuple[list[InvitationView], dict[int, list[tuple[int, str]]], str | None]:
    """A page of them, who came by each, and where the next page is."""
    found = await queries.invitations(session, account_id=account_id, before=place("before"))
    _, older = cut([one.id for one in found], PAGE)
    came = await queries.who_came(session, [one.id for one in found[:PAGE]])
    return found[:PAGE], came, older


async def drawn(template: str, form: Form, *, account_id: int | None) -> str:
    async with site().db.reading() as session:
        found, came, older = await listed(session, account_id)
    return render(
        template, form=form, invitations=found, came=came, next=older, link=admitting.link,
        days=invitations.DAYS, most=invitations.MOST_USES, longest=invitations.LONGEST_NOTE,
    )  # fmt: skip


async def _page(form: Form) -> str:
    return await drawn("settings/invitations.html", form, account_id=me().id)
