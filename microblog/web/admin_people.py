"""The people of the site, as moderators see them, and what can be done with one."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from quart import Blueprint, ResponseReturnValue, flash, request

from microblog.admissions import queries as admissions
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.moderation import actions, queries
from microblog.moderation.permissions import MAY, MEMBER, ROLES, may
from microblog.moderation.queries import PAGE, SHOWN, Person
from microblog.signin import two_factor
from microblog.site import me, site
from microblog.web.access import moderator
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.paging import number, place, post_id_in
from microblog.web.rendering import render

pages = Blueprint("admin_people", __name__)

DONE = N_("Done. It stands in the log.")
CHOOSE = N_("Choose what to do.")


@pages.get("/admin/people")
@moderator
async def index() -> ResponseReturnValue:
    find, show = request.args.get("find", ""), request.args.get("show", "all")
    show = show if show in SHOWN else "all"
    by_address = may("see_address", me().role, MEMBER)
    async with site().db.reading() as session:
        found = await queries.people(
            session, find=find, show=show, before=place("before"), by_address=by_address
        )
    form = Form({"find": find, "show": show})
    return render(
        "admin/people.html", form=form, people=found[:PAGE], next=_next(found, find, show),
        by_address=by_address,
    )  # fmt: skip


@pages.get("/admin/people/<account_id>")
@moderator
async def show(account_id: str) -> ResponseReturnValue:
    return await person_page(Form({}), account_id=account_id)


@pages.post("/admin/people/<account_id>")
@moderator
@limited("300/hour")
async def act(account_id: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        person = await queries.person(session, post_id_in(account_id))
    again = partial(person_page, account_id=account_id)
    form = await read_form("act", "reason", "days", again=again)
    async with writing_as_me() as session:
        await _do(session, person.id, form)
    if not wants_json():
        await flash(translated(DONE), "notice")
    return done(f"/admin/people/{account_id}")


async def _do(session: Session, who: int, form: Form) -> None:
    reason = form["reason"]
    match form["act"]:
        case "suspend":
            days = number(form["days"])
            await actions.suspend(session, me().id, who, reason=reason, days=days)
        case "lift":
            await actions.lift(session, me().id, who, reason=reason)
        case "silence":
            await actions.silence(session, me().id, who, reason=reason)
        case "unsilence":
            await actions.unsilence(session, me().id, who, reason=reason)
        case "end_sessions":
            await actions.end_sessions(session, me().id, who)
        case _:
            raise Invalid("act", CHOOSE)


async def person_page(form: Form, *, account_id: str) -> str:
    who = post_id_in(account_id)
    async with site().db.reading() as session:
        person = await queries.person(session, who)
        told = await queries.reports_about(session, who)
        entries = await queries.entries(session, account_id=who)
        invitation = await admissions.came_by(session, who)
        has_second_step = await two_factor.is_on(session, who)
    untouched = {"act": "", "reason": "", "days": "", "role": person.role}
    form.values = untouched | form.values
    return render(
        "admin/person.html", form=form, person=person, reports=told, entries=entries[:PAGE],
        acts=_acts(person), days=actions.DAYS, roles=ROLES, invitation=invitation,
        has_second_step=has_second_step,
    )  # fmt: skip


def _acts(person: Person) -> list[str]:
    """What makes sense for them as it stands, and is allowed."""
    if person.id == me().id:
        return []
    senseless = {
        "lift" if person.suspended_at is None else "suspend",
        "unsilence" if person.silenced_at is None else "silence",
    }
    return [act for act in MAY if act not in senseless and may(act, me().role, person.role)]


def _next(found: list[Person], find: str, show: str) -> str | None:
    if len(found) <= PAGE:
        return None
    query = {"find": find, "show": show, "before": found[PAGE - 1].id}
    return f"{request.path}?{urlencode(query)}"
