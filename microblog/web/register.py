"""Creating an account, and confirming its address where that is asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from quart import Blueprint, ResponseReturnValue, redirect, request

from microblog.accounts import addresses
from microblog.accounts.model import Account
from microblog.admissions.door import admission
from microblog.kernel import tokens
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session
from microblog.signin import passwords, registrations
from microblog.signin import queries as logins
from microblog.signin.applicants import Applicant, check_applicant
from microblog.signin.entrance import Entered
from microblog.signin.model import Registration
from microblog.site import site, viewer
from microblog.web import admitting, entering, languages, limits, registrants
from microblog.web.access import public
from microblog.web.answers import done
from microblog.web.forms import Form, read_form
from microblog.web.limits import address, limited
from microblog.web.links import expired
from microblog.web.redirects import safe_path
from microblog.web.rendering import render
from microblog.web.ways_in import needs_passwords

pages = Blueprint("register", __name__)

# Of registrations that were taken; `limited` below bounds the attempts, typing errors included.
PER_NETWORK = "5/hour"
PER_ADDRESS = "10/hour"

_FIELDS = ("username", "email", "password", "time_zone", "next", "invitation", "reason")


@pages.get("/register")
@public
async def show() -> ResponseReturnValue:
    return await _shown("")


@pages.get("/join/<code>")
@public
async def join(code: str) -> ResponseReturnValue:
    """With an invitation."""
    return await _shown(code)


@pages.post("/register")
@public
@limited("60/hour", by=address)
@needs_passwords
async def create() -> ResponseReturnValue:
    form = await read_form(*_FIELDS, again=_page)
    confirms = site().settings.confirms_email
    async with site().db.reading() as session:
        admitted = await admission(
            session, admitting.door(), admitting.invitation_id(form["invitation"])
        )
        applicant = _applicant(form, asks=admitted.applies)
        await registrations.refuse_taken(session, applicant, also_email=not confirms)
    await limits.hit(PER_NETWORK, f"registration {address()}")
    password_hash = await passwords.hashed(form["password"])
    if confirms:
        return await _ask_to_confirm(applicant, password_hash)
    return await _begin(applicant, password_hash, safe_path(form["next"]))


@pages.get("/register/sent")
@public
async def sent() -> ResponseReturnValue:
    return render("signin/register_sent.html")


@pages.get("/register/waiting")
@public
async def waiting() -> ResponseReturnValue:
    return render("signin/register_waiting.html")


@pages.get("/confirm/<token>")
@public
async def ask(token: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        asked = await logins.registration(session, token)
    if asked is None:
        return expired()
    return await _button(Form({"username": asked.name}), token=token, asked=asked)


@pages.post("/confirm/<token>")
@public
@limited("30/hour", by=address)
async def confirm(token: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        asked = await logins.registration(session, token)
    if asked is None:
        return expired()
    form = await read_form("username", "password", again=partial(_button, token=token, asked=asked))
    form.values["username"] = form["username"] or asked.name
    is_theirs = registrants.is_here(asked.password_hash)
    chosen = None if is_theirs else await _chosen_password(form, asked)
    try:
        async with site().db.writing() as session:
            account = await registrations.confirm(
                session, token, admitting.door(), other_name=form["username"], new_hash=chosen
            )
            way = await _way_in(session, account, "/")
    except NotFound:
        return expired()
    return entered_or_waiting(way)


def entered_or_waiting(way: Entered | None) -> ResponseReturnValue:
    return entering.entered(way) if way else done("/register/waiting")


def _applicant(form: Form, *, asks: bool) -> Applicant:
    applicant = check_applicant(
        name=form["username"],
        email=form["email"],
        password=form["password"],
        language=languages.language(),
        time_zone=form["time_zone"],
        site_words=(site().chosen.name,),
        reason=form["reason"] if asks else None,
    )
    return replace(applicant, invitation_id=admitting.invitation_id(form["invitation"]))


async def _ask_to_confirm(applicant: Applicant, password_hash: str) -> ResponseReturnValue:
    """The same for a known and a new address, the limit included: it counts what was typed."""
    typed = tokens.digest(addresses.key(applicant.email))
    await limits.hit(PER_ADDRESS, f"registration of {typed}")
    async with site().db.writing() as session:
        await registrations.ask_to_confirm(session, applicant, password_hash)
    registrants.remember(password_hash)
    return done("/register/sent")


async def _begin(applicant: Applicant, password_hash: str, next_path: str) -> ResponseReturnValue:
    async with site().db.writing() as session:
        door = admitting.door()
        account = await registrations.create(session, applicant, password_hash, door)
        way = await _way_in(session, account, next_path)
    return entered_or_waiting(way)


async def _way_in(session: Session, account: Account | None, next_path: str) -> Entered | None:
    """Their first sign-in is no news to them.  Who has applied is not in."""
    if account is None:
        return None
    return await entering.enter(
        session, account.id, remembered=False, next_path=next_path, quiet=True
    )


async def _shown(code: str) -> ResponseReturnValue:
    if viewer() is not None:
        return redirect("/", 303)
    given = {"next": request.args.get("next", ""), "invitation": code}
    return await _page(Form({**dict.fromkeys(_FIELDS, ""), **given}))


async def _page(form: Form) -> str:
    async with site().db.reading() as session:
        welcome = await admitting.welcome(session, form["invitation"])
    if welcome.turned_away:
        return render("signin/turned_away.html", welcome=welcome)
    return render(
        "signin/register.html", form=form, welcome=welcome, confirm=site().settings.confirms_email
    )


async def _chosen_password(form: Form, asked: Registration) -> str:
    """What replaces the password that somebody typed in another browser, perhaps a stranger."""
    words = (site().chosen.name,)
    passwords.check_password(form["password"], form["username"], asked.email, words)
    return await passwords.hashed(form["password"])


async def _button(form: Form, *, token: str, asked: Registration) -> str:
    asks = not registrants.is_here(asked.password_hash)
    async with site().db.reading() as session:
        welcome = await admitting.welcome(session, "", asked.invitation_id)
    if welcome.turned_away:
        return render("signin/turned_away.html", welcome=welcome)
    return render(
        "signin/confirm.html", form=form, token=token, name=asked.name, asks=asks,
        applies=welcome.applies,
    )  # fmt: skip
