"""Deleting one's account, and the way back while there is one."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.accounts import queries as accounts
from microblog.departures import actions, queries
from microblog.kernel.errors import N_, Invalid, NotFound
from microblog.kernel.model import Session
from microblog.signin import passwords
from microblog.signin import queries as logins
from microblog.site import me, site
from microblog.web import identity
from microblog.web.access import member, public
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.attempts import password_attempt
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import address, limited
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render
from microblog.web.ways_in import means_of

pages = Blueprint("leaving", __name__)

NOT_YOURS = N_("That is not your password.")
LEFT = N_(
    "Your account is hidden, and will be deleted in 7 days. Until then signing in lets you come"
    " back."
)
BACK = N_("Your account is here again, as it was. Sign in to go on.")
NO_WAY_BACK = N_("This link does not bring an account back. It may have been used, or be too old.")


@pages.get("/settings/leave")
@member
@recently_authenticated
async def show() -> ResponseReturnValue:
    return await _page(Form({"current_password": ""}))


@pages.post("/settings/leave")
@member
@recently_authenticated
@limited("10/hour")
async def leave() -> ResponseReturnValue:
    form = await read_form("current_password", again=_page)
    await _prove(form["current_password"])
    async with writing_as_me() as session:
        await actions.leave(session, me().id)
    identity.sign_out()
    return await _told("/", LEFT)


@pages.get("/leave/undo/<token>")
@public
async def undo(token: str) -> ResponseReturnValue:
    """Changes nothing: mail programs and scanners fetch links by themselves."""
    async with site().db.reading() as session:
        begun = await queries.undone_by(session, token)
        if begun is None:
            raise NotFound(NO_WAY_BACK)
        account = await accounts.account(session, begun.account_id)
    return render("leaving/undo.html", token=token, name=account.name, due_at=begun.due_at)


@pages.post("/leave/undo/<token>")
@public
@limited("20/hour", by=address)
async def come_back(token: str) -> ResponseReturnValue:
    async with site().db.writing() as session:
        await actions.come_back(session, token)
    return await _told("/login", BACK)


async def _prove(password: str) -> None:
    """The password once more, of those who have nothing else; others have just proved it."""
    async with site().db.reading() as session:
        if not await _is_asked(session):
            return
        mine = await logins.credentials_of(session, me().id)
    async with password_attempt(me().id) as attempt:
        if not await passwords.matches(mine.password_hash, password):
            await attempt.failed()
            raise Invalid("current_password", NOT_YOURS)


async def _is_asked(session: Session) -> bool:
    """For the password.  A passkey is enough by itself, for those who have forgotten theirs: it was
    asked for within the last ten minutes."""
    means = await means_of(session, me().id)
    return means.has_password and not means.passkeys


async def _told(url: str, sentence: str) -> ResponseReturnValue:
    if not wants_json():
        await flash(translated(sentence), "notice")
    return done(url)


async def _page(form: Form) -> str:
    async with site().db.reading() as session:
        asks = await _is_asked(session)
        is_last = await accounts.is_last_administrator(session, me().id)
    return render("leaving/show.html", form=form, has_password=asks, is_last=is_last)
