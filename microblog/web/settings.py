"""What people choose for themselves: appearance, password."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from quart import Blueprint, ResponseReturnValue, flash, redirect, request

from microblog.accounts import actions as accounts
from microblog.kernel.errors import N_, Invalid
from microblog.signin import actions as signin
from microblog.signin import passwords
from microblog.signin import queries as logins
from microblog.site import me, site
from microblog.web import identity
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.attempts import password_attempt
from microblog.web.forms import Form, read_form
from microblog.web.languages import speak, translated
from microblog.web.limits import limited
from microblog.web.rendering import render
from microblog.web.ways_in import needs_passwords

pages = Blueprint("settings", __name__)

SAVED = N_("Saved.")
CHANGED = N_("Your password is changed. Your other devices are signed out.")
NOT_YOURS = N_("That is not your password.")

_APPEARANCE = (*accounts.APPEARANCE, "time_zone")
_CONTINENTS = (
    "Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/",
    "Indian/", "Pacific/",
)  # fmt: skip


@pages.get("/settings")
@member
async def index() -> ResponseReturnValue:
    return redirect("/settings/profile", 303)


@pages.get("/settings/appearance")
@member
async def appearance() -> ResponseReturnValue:
    return await _appearance_page(Form(_chosen()))


@pages.post("/settings/appearance")
@member
@limited("300/hour")
async def save_appearance() -> ResponseReturnValue:
    """Any of the fields alone: the theme switch on every page sends one."""
    sent = await request.form
    form = await read_form(*_APPEARANCE, again=_appearance_page)
    choices = {field: form[field] for field in _APPEARANCE if field in sent}
    form.values = _chosen() | choices
    async with site().db.writing() as session:
        await accounts.edit_appearance(session, me().id, choices)
    speak(form["language"] or None)
    return await saved("/settings/appearance")


@pages.get("/settings/account")
@member
async def account() -> ResponseReturnValue:
    return await account_page(Form({"email": "", "current_password": "", "password": ""}))


@pages.post("/settings/account")
@member
@limited("30/hour")
@needs_passwords
async def change_password() -> ResponseReturnValue:
    form = await read_form("current_password", "password", again=account_page)
    words = (site().chosen.name,)
    passwords.check_password(form["password"], me().name, me().email or "", words)
    token = await _changed(form["current_password"], form["password"])
    identity.sign_in(token, me().remembered)
    return await saved("/settings/account", CHANGED)


async def _changed(current: str, new: str) -> str:
    """The new token of this login session; raises `Invalid` when the password is not theirs."""
    async with site().db.reading() as session:
        mine = await logins.credentials_of(session, me().id)
    async with password_attempt(me().id) as attempt:
        if not await passwords.matches(mine.password_hash, current):
            await attempt.failed()
            raise Invalid("current_password", NOT_YOURS)
    new_hash = await passwords.hashed(new)
    async with writing_as_me() as session:
        token = await signin.change_password(
            session, me().id, me().session_id, proven_hash=mine.password_hash, new_hash=new_hash
        )
    if token is None:
        raise Invalid("current_password", NOT_YOURS)
    return token


async def saved(url: str, sentence: str = SAVED) -> ResponseReturnValue:
    if not wants_json():
        await flash(translated(sentence), "notice")
    return done(url)


def _chosen() -> dict[str, str]:
    return {field: getattr(me(), field) or "" for field in _APPEARANCE}


@cache
def _time_zones() -> frozenset[str]:
    """Those a person would look for, by city."""
    named = {zone for zone in available_timezones() if zone.startswith(_CONTINENTS)}
    return frozenset(named | {"UTC"})


async def _appearance_page(form: Form) -> str:
    mine = {me().time_zone} - {None}
    return render("settings/appearance.html", form=form, time_zones=sorted(_time_zones() | mine))


async def account_page(form: Form) -> str:
    """One page of several forms: each leaves the others' fields empty."""
    form.values = {"email": "", "username": me().name} | form.values
    async with site().db.reading() as session:
        mine = await logins.credentials_of(session, me().id)
        asked = await logins.asked_email(session, me().id)
    return render(
        "settings/account.html", form=form, asked_email=asked,
        has_password=mine.password_hash is not None,
    )  # fmt: skip
