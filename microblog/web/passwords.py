"""A forgotten password: asking for a link, and using it."""

from __future__ import annotations

from functools import partial

from quart import Blueprint, ResponseReturnValue, flash

from microblog.accounts import addresses
from microblog.kernel import tokens
from microblog.kernel.errors import N_, NotFound
from microblog.signin import passwords, resets
from microblog.signin.entrance import Entered
from microblog.site import site
from microblog.web import entering, limits
from microblog.web.access import public
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import address, limited
from microblog.web.links import expired
from microblog.web.rendering import render
from microblog.web.ways_in import needs_passwords

pages = Blueprint("passwords", __name__)

PER_ADDRESS = "5/hour"
CHANGED = N_("Your password is changed. All other devices are signed out.")


@pages.get("/password/forgot")
@public
@needs_passwords
async def forgot() -> ResponseReturnValue:
    return await _forgot_page(Form({"email": ""}))


@pages.post("/password/forgot")
@public
@limited("20/hour", by=address)
@needs_passwords
async def send_link() -> ResponseReturnValue:
    """The same answer and the same work whether or not somebody has the address."""
    form = await read_form("email", again=_forgot_page)
    email = addresses.check_email(form["email"])
    await limits.hit(PER_ADDRESS, f"reset of {tokens.digest(addresses.key(email))}")
    async with site().db.writing() as session:
        await resets.ask(session, email)
    return done("/password/forgot/sent")


@pages.get("/password/forgot/sent")
@public
async def sent() -> ResponseReturnValue:
    return render("signin/forgot_sent.html")


@pages.get("/password/reset/<token>")
@public
async def choose(token: str) -> ResponseReturnValue:
    """Looking does not use the link up: mail scanners look too."""
    try:
        async with site().db.reading() as session:
            await resets.account_of(session, token)
    except NotFound:
        return expired()
    return await _reset_page(Form({"password": ""}), token=token)


@pages.post("/password/reset/<token>")
@public
@limited("20/hour", by=address)
@needs_passwords
async def reset(token: str) -> ResponseReturnValue:
    form = await read_form("password", again=partial(_reset_page, token=token))
    try:
        await _check(form["password"], token)
        way = await _set(await passwords.hashed(form["password"]), token)
    except NotFound:
        return expired()
    if not wants_json():
        await flash(translated(CHANGED), "notice")
    return entering.entered(way)


async def _check(password: str, token: str) -> None:
    async with site().db.reading() as session:
        account = await resets.account_of(session, token)
    words = (site().chosen.name,)
    passwords.check_password(password, account.name, account.email or "", words)


async def _set(password_hash: str, token: str) -> Entered:
    """Use the link and end all sessions; whoever holds it comes in, with a code if there is one."""
    async with site().db.writing() as session:
        account = await resets.reset(session, token, password_hash)
        return await entering.enter(
            session, account.id, remembered=False, next_path="/", quiet=True
        )


async def _forgot_page(form: Form) -> str:
    return render("signin/forgot.html", form=form)


async def _reset_page(form: Form, *, token: str) -> str:
    return render("signin/reset.html", form=form, token=token)
