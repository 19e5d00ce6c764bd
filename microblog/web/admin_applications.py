"""People who ask to be let in, for a moderator to answer."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, ResponseReturnValue, flash

from microblog.admissions import queries
from microblog.admissions.queries import PAGE
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.moderation import actions, applications
from microblog.moderation.permissions import may_alone
from microblog.site import me, site
from microblog.web import ways_in
from microblog.web.access import moderator
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.paging import cut, place, post_id_in
from microblog.web.rendering import render

pages = Blueprint("admin_applications", __name__)

APPROVED = N_("@%(name)s has an account now.")
DECLINED = N_("Declined. What they told is deleted once they have your answer.")
CHOOSE = N_("Choose what to do.")


@pages.get("/admin/applications")
@moderator
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        found = await queries.applications(session, after=place("after"))
    _, newer = cut([one.id for one in found], PAGE, key="after")
    return render("admin/applications.html", applications=found[:PAGE], next=newer)


@pages.get("/admin/applications/<application_id>")
@moderator
async def show(application_id: str) -> ResponseReturnValue:
    return await _page(Form({"decision": "", "reason": ""}), application_id=application_id)


@pages.post("/admin/applications/<application_id>")
@moderator
@limited("300/hour")
async def decide(application_id: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        wanted = (await queries.application(session, post_id_in(application_id))).id
    again = partial(_page, application_id=application_id)
    form = await read_form("decision", "reason", again=again)
    async with writing_as_me() as session:
        sentence = await _decide(session, wanted, form)
    if not wants_json():
        await flash(sentence, "notice")
    return done("/admin/applications")


async def _decide(session: Session, application_id: int, form: Form) -> str:
    match form["decision"]:
        case "approve":
            account = await applications.approve(session, me().id, application_id)
            return translated(APPROVED, {"name": account.name})
        case "decline":
            reason = form["reason"]
            await applications.decline(session, me().id, application_id, reason=reason)
            return translated(DECLINED)
    raise Invalid("decision", CHOOSE)


async def _page(form: Form, *, application_id: str) -> str:
    async with site().db.reading() as session:
        asked = await queries.application(session, post_id_in(application_id))
    provider = ways_in.providers().get(asked.issuer or "", asked.issuer)
    return render(
        "admin/application.html", form=form, asked=asked, provider=provider,
        sees_address=may_alone("see_applicant_address", me().role),
        longest=actions.LONGEST_REASON,
    )  # fmt: skip
