"""Which mail someone wants, and trying an address again that had refused it."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.accounts import actions as accounts
from microblog.kernel.errors import N_
from microblog.notifications import actions, queries
from microblog.notifications.queries import KINDS
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done, wants_json
from microblog.web.forms import read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.rendering import render

pages = Blueprint("mail_settings", __name__)

LABELS = {
    "follow": N_("follows me"),
    "request": N_("asks to follow me"),
    "accept": N_("lets me follow them"),
    "mention": N_("mentions me"),
    "reply": N_("replies to me"),
}
SAVED = N_("Saved.")
FORGIVEN = N_("We will try your address again with the next mail.")


@pages.get("/settings/mail")
@member
async def show() -> ResponseReturnValue:
    async with site().db.reading() as session:
        muted = await queries.muted(session, me().id)
    kinds = [(kind, translated(LABELS[kind]), kind not in muted) for kind in KINDS]
    return render("settings/mail.html", kinds=kinds)


@pages.post("/settings/mail")
@member
@limited("60/5 minutes")
async def change() -> ResponseReturnValue:
    """Switch each kind; or, with `retry`, only forget that the address refused mail."""
    form = await read_form(*KINDS, "retry")
    async with site().db.writing() as session:
        if form.checked("retry"):
            await accounts.forgive_mail_refusal(session, me().id)
        else:
            for kind in KINDS:
                switch = actions.unmute_mail if form.checked(kind) else actions.mute_mail
                await switch(session, me().id, kind)
    if not wants_json():
        await flash(translated(FORGIVEN if form.checked("retry") else SAVED), "notice")
    return done("/settings/mail")
