"""Another e-mail address: asking for it, confirming it, and taking the change back."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, ResponseReturnValue, flash, redirect

from microblog.accounts import addresses
from microblog.accounts import queries as people
from microblog.identities import actions as identities
from microblog.kernel import tokens
from microblog.kernel.errors import N_, NotFound
from microblog.signin import actions, email_changes
from microblog.signin import queries as logins
from microblog.site import me, site, viewer
from microblog.web import identity, limits
from microblog.web.access import member, public
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import address, limited
from microblog.web.links import expired
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render
from microblog.web.settings import account_page

pages = Blueprint("email_address", __name__)

PER_ADDRESS = "10/hour"  # of mails to one that may be somebody else's

CHANGED = N_("Your e-mail address is %(email)s now.")
BACK = N_("Your address is %(email)s again, and every device is signed out.")


@pages.get("/settings/email")
@member
@recently_authenticated
async def show() -> ResponseReturnValue:
    """After the question who is there; the form stands on the account page."""
    return redirect("/settings/account", 303)


@pages.post("/settings/email")
@member
@recently_authenticated
@limited("10/hour")
async def change() -> ResponseReturnValue:
    form = await read_form("email", again=account_page)
    email = addresses.check_email(form["email"])
    confirms = site().settings.confirms_email
    if confirms:
        await limits.hit(PER_ADDRESS, f"change to {tokens.digest(addresses.key(email))}")
    act = email_changes.ask if confirms else email_changes.change_at_once
    async with writing_as_me() as session:
        await act(session, me().id, me().session_id, email)
        token = await actions.renew_session(session, me().session_id)
    identity.sign_in(token, me().remembered)
    if not confirms:  # else the page itself says what it waits for
        await _say(CHANGED, email)
    return done("/settings/account")


@pages.get("/email/confirm/<token>")
@public
async def ask(token: str) -> ResponseReturnValue:
    """Looking does not use the link up: mail scanners look too."""
    async with site().db.reading() as session:
        asked = await logins.email_change(session, token)
        if asked is None:
            return expired()
        account = await people.account(session, asked.account_id)
        return await _confirm_page(Form(), token=token, name=account.name, email=asked.email)


@pages.post("/email/confirm/<token>")
@public
@limited("30/hour", by=address)
async def confirm(token: str) -> ResponseReturnValue:
    asking = viewer()
    try:
        async with site().db.writing() as session:
            account = await email_changes.confirm(
                session, token, asking.session_id if asking else None
            )
            mine = asking is not None and asking.id == account.id
            if mine:
                renewed = await actions.renew_session(session, me().session_id)
    except NotFound:
        return expired()
    await _say(CHANGED, account.email or "")
    if mine:
        identity.sign_in(renewed, me().remembered)
    return done("/settings/account" if mine else "/login")


@pages.get("/email/undo/<token>")
@public
async def ask_back(token: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        undo = await logins.email_undo(session, token)
        if undo is None:
            return expired()
        account = await people.account(session, undo.account_id)
    return await _undo_page(Form(), token=token, name=account.name, email=undo.email)


@pages.post("/email/undo/<token>")
@public
@limited("30/hour", by=address)
async def undo(token: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        found = await logins.email_undo(session, token)
        if found is None:
            return expired()
        account = await people.account(session, found.account_id)
    page = partial(_undo_page, token=token, name=account.name, email=found.email)
    await read_form(again=page)
    try:
        async with site().db.writing() as session:
            since = await email_changes.got_in_at(session, found)
            account = await email_changes.undo(session, token)
            await identities.forget_since(session, account.id, since)
    except NotFound:
        return expired()
    if (asking := viewer()) is not None and asking.id == account.id:
        identity.sign_out()
    await _say(BACK, found.email)
    return done("/password/forgot/sent" if site().settings.has_passwords else "/login")


async def _say(sentence: str, email: str) -> None:
    if not wants_json():
        await flash(translated(sentence, {"email": email}), "notice")


async def _confirm_page(form: Form, *, token: str, name: str, email: str) -> str:
    return render("signin/confirm_email.html", form=form, token=token, name=name, email=email)


async def _undo_page(form: Form, *, token: str, name: str, email: str) -> str:
    return render("signin/undo_email.html", form=form, token=token, name=name, email=email)
