"""What members reported, and what becomes of it."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from quart import Blueprint, ResponseReturnValue, flash, request

from microblog.kernel.errors import N_
from microblog.moderation import actions, queries, reports
from microblog.moderation.permissions import may
from microblog.moderation.queries import PAGE, Person
from microblog.posts import queries as posts
from microblog.posts.queries import PostView
from microblog.site import me, site
from microblog.web.access import moderator
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.paging import number, place, post_id_in
from microblog.web.rendering import render

pages = Blueprint("admin_reports", __name__)

DONE = N_("The report is closed. Those who told you hear of it.")


@pages.get("/admin/reports")
@moderator
async def index() -> ResponseReturnValue:
    closed = request.args.get("show") == "closed"
    async with site().db.reading() as session:
        found = await queries.reports(session, closed=closed, before=place("before"))
    more = None
    if len(found) > PAGE:
        query = {"show": "closed" if closed else "open", "before": found[PAGE - 1].id}
        more = f"{request.path}?{urlencode(query)}"
    return render("admin/reports.html", reports=found[:PAGE], closed=closed, next=more)


@pages.get("/admin/reports/<report_id>")
@moderator
async def show(report_id: str) -> ResponseReturnValue:
    empty = dict.fromkeys(("outcome", "reason", "days"), "")
    return await _page(Form(empty), report_id=report_id)


@pages.post("/admin/reports/<report_id>")
@moderator
@limited("300/hour")
async def close(report_id: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        report = await queries.report(session, post_id_in(report_id))
    again = partial(_page, report_id=report_id)
    form = await read_form("outcome", "reason", "days", again=again)
    async with writing_as_me() as session:
        await reports.close(
            session, me().id, report.id,
            outcome=form["outcome"], reason=form["reason"], days=number(form["days"]),
        )  # fmt: skip
    if not wants_json():
        await flash(translated(DONE), "notice")
    return done("/admin/reports")


async def _page(form: Form, *, report_id: str) -> str:
    async with site().db.reading() as session:
        report = await queries.report(session, post_id_in(report_id))
        person = await queries.person(session, report.account_id)
        reported = [report.post_id] if report.post_id else []
        found = await posts.unguarded_views(session, reported)
        seen = await posts.views(session, reported, me().id)
    post = found.get(report.post_id or 0)
    standing = post if post and not post.deleted else None
    return render(
        "admin/report.html", form=form, report=report, person=person,
        post=standing if report.post_id in seen else None,  # the report says what it said
        outcomes=_outcomes(person, standing), days=actions.DAYS,
    )  # fmt: skip


def _outcomes(person: Person, post: PostView | None) -> list[str]:
    """What can be done about it, by who asks; nothing when it is about themselves."""
    if person.id == me().id:
        return []
    acts = {one: "dismiss_report" if one == "dismiss" else one for one in reports.OUTCOMES}
    allowed = [one for one, act in acts.items() if may(act, me().role, person.role)]
    return [one for one in allowed if one != "delete_post" or post]
