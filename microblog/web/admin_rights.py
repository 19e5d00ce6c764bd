"""What only administrators change of an account, and prove who they are first (SECURITY 6, 47): its
role, and the second step of signing in for somebody who lost it."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, ResponseReturnValue, flash

from microblog.moderation import actions, queries
from microblog.site import me, site
from microblog.web.access import administrator
from microblog.web.acting import writing_as_me
from microblog.web.admin_people import DONE, person_page
from microblog.web.answers import done, wants_json
from microblog.web.forms import read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.paging import post_id_in
from microblog.web.reauthentication import recently_authenticated

pages = Blueprint("admin_rights", __name__)


@pages.post("/admin/people/<account_id>/role")
@administrator
@recently_authenticated
@limited("120/hour")
async def set_role(account_id: str) -> ResponseReturnValue:
    person = await _person(account_id)
    again = partial(person_page, account_id=account_id)
    form = await read_form("role", again=again)
    async with writing_as_me() as session:
        await actions.set_role(session, me().id, person, role=form["role"])
    return await _told(person)


@pages.post("/admin/people/<account_id>/second-step/reset")
@administrator
@recently_authenticated
@limited("120/hour")
async def reset_two_factor(account_id: str) -> ResponseReturnValue:
    person = await _person(account_id)
    async with writing_as_me() as session:
        await actions.reset_two_factor(session, me().id, person)
    return await _told(person)


async def _person(written: str) -> int:
    async with site().db.reading() as session:
        return (await queries.person(session, post_id_in(written))).id


async def _told(account_id: int) -> ResponseReturnValue:
    if not wants_json():
        await flash(translated(DONE), "notice")
    return done(f"/admin/people/{account_id}")
