"""Everybody's invitations, as moderators see them."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue

from microblog.admissions import queries
from microblog.moderation import applications
from microblog.site import me
from microblog.web.access import moderator
from microblog.web.acting import writing_as_me
from microblog.web.forms import Form
from microblog.web.invitations import USUAL, WITHDRAWN, drawn, made, told
from microblog.web.limits import limited
from microblog.web.paging import post_id_in

pages = Blueprint("admin_invitations", __name__)


@pages.get("/admin/invitations")
@moderator
async def index() -> ResponseReturnValue:
    return await _page(Form(dict(USUAL)))


@pages.post("/admin/invitations")
@moderator
@limited("30/hour")
async def create() -> ResponseReturnValue:
    return await made(_page, "/admin/invitations")


@pages.post("/admin/invitations/<invitation_id>/withdraw")
@moderator
@limited("300/hour")
async def withdraw(invitation_id: str) -> ResponseReturnValue:
    async with writing_as_me() as session:
        found = await queries.invitation(session, post_id_in(invitation_id))
        await applications.withdraw_invitation(session, me().id, found.inviter_id, found.id)
    return await told(WITHDRAWN, "/admin/invitations")


async def _page(form: Form) -> str:
    return await drawn("admin/invitations.html", form, account_id=None)
