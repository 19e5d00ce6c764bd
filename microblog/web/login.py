"""Signing in and out."""

from __future__ import annotations

from urllib.parse import quote

from quart import Blueprint, ResponseReturnValue, abort, redirect, request

from microblog.admissions import queries as admissions
from microblog.kernel.errors import N_
from microblog.signin import actions, passwords
from microblog.signin import queries as logins
from microblog.signin.entrance import Entered
from microblog.signin.queries import Credentials
from microblog.site import site, viewer
from microblog.web import entering, identity, shut_out
from microblog.web.access import public
from microblog.web.answers import done, error_json, wants_json
from microblog.web.attempts import sign_in_attempt
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import unlimited
from microblog.web.redirects import LONGEST, safe_path
from microblog.web.rendering import render
from microblog.web.ways_in import needs_passwords

pages = Blueprint("login", __name__)

WRONG = N_("That name and password do not belong together.")


@pages.get("/login")
@public
async def show() -> ResponseReturnValue:
    wanted = request.args.get("next", "")
    if viewer() is not None:
        return redirect(safe_path(wanted), 303)
    return await _page(Form({"login": "", "password": "", "remember": "", "next": wanted}))


@pages.post("/login")
@public
@unlimited("failures are counted: per account and network, per network, per known device")
@needs_passwords
async def sign_in() -> ResponseReturnValue:
    form = await read_form("login", "password", "remember", "next", "draft", again=_page)
    async with site().db.reading() as session:
        found = await logins.credentials(session, form["login"])
        typed = logins.login_key(form["login"])
        asked = None if found else await admissions.waiting_password(session, typed)
    account_id = found.account_id if found else None
    async with sign_in_attempt(typed, account_id) as attempt:
        way = await _way_in(found, form, asked)
        if way is None:
            await attempt.failed()
            return await _refused(form)
    return entering.entered(way)


@pages.post("/logout")
@public
@unlimited("it ends nothing but one's own session")
async def sign_out() -> ResponseReturnValue:
    if (asking := viewer()) is not None:
        async with site().db.writing() as session:
            await actions.end_session(session, asking.session_id, asking.id)
    identity.sign_out()
    return done("/")


async def _way_in(found: Credentials | None, form: Form, asked: str | None) -> Entered | None:
    """Where a right password leads; `asked` is the hash of one who waits to be let in."""
    stored = found.password_hash if found else asked
    if not await passwords.matches(stored, form["password"]):
        return None
    if found is None:
        abort(redirect("/register/waiting", 303))  # type: ignore[arg-type]
    if found.suspended and (link := await _elsewhere(found.account_id)):
        abort(redirect(link, 303))  # type: ignore[arg-type]
    rehashed = await passwords.rehashed(stored, form["password"])
    async with site().db.writing() as session:
        if not await actions.accept(session, found, rehashed=rehashed):
            return None
        return await entering.enter(
            session, found.account_id, remembered=form.checked("remember"), next_path=_next(form)
        )


async def _elsewhere(account_id: int) -> str | None:
    async with site().db.writing() as session:
        return await shut_out.elsewhere(session, account_id)


async def _refused(form: Form) -> ResponseReturnValue:
    form.errors[""] = translated(WRONG)
    if wants_json():
        return error_json(form.errors[""], 401, form.errors)
    return await _page(form), 401


async def _page(form: Form) -> str:
    return render("signin/login.html", form=form, draft=form["draft"] or None)


def _next(form: Form) -> str:
    """Where they wanted to go, with the text they had written when they were signed out."""
    wanted = safe_path(form["next"])
    with_text = f"/posts/new?body={quote(form['draft'])}"
    is_composer = wanted == "/posts/new" and bool(form["draft"])
    return with_text if is_composer and len(with_text) <= LONGEST * 4 else wanted
