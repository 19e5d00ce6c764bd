"""Asking once more who is there, before what cannot be undone (ASVS 7.5; SECURITY 6).

    @pages.post("/settings/email")
    @member
    @recently_authenticated
    async def change() -> ResponseReturnValue: ...

Who proved more than ten minutes ago who they are is asked again: for the password, a passkey, or by
a provider that really asks.  Whoever has none of them types a code that is mailed.  A page comes
afterwards; a form that had been sent is kept on the page that asks, and goes on with one press of a
button.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from quart import Blueprint, Quart, ResponseReturnValue, current_app, redirect, request

from microblog.kernel import clock
from microblog.kernel.errors import N_, Invalid, NotFound
from microblog.signin import actions, passkeys, passwords, proofs
from microblog.signin import queries as logins
from microblog.site import me, site, viewer
from microblog.web import challenges, identity
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import error_json, wants_json
from microblog.web.attempts import password_attempt
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import limited, unlimited
from microblog.web.redirects import safe_path
from microblog.web.rendering import render
from microblog.web.ways_in import means_of

View = TypeVar("View", bound=Callable[..., Any])

pages = Blueprint("reauthentication", __name__)

RECENT = timedelta(minutes=10)
KEPT = "kept_"  # before the name of each field of the form that was interrupted
MOST_KEPT = 50
PROVE = "prove"  # what a challenge for a passkey is for

ASK = N_("Confirm that it is you, then do it again.")
NOT_YOURS = N_("That is not your password.")
WRONG_CODE = N_("That is not the code from the mail, or it is too old.")


def recently_authenticated(view: View) -> View:
    """Declares that a route needs a proof of at most ten minutes' age."""
    view.recently_authenticated = True  # type: ignore[attr-defined]
    return view


def install(app: Quart) -> None:
    @app.before_request
    async def enforce() -> ResponseReturnValue | None:
        return await _asked() if _is_due() else None


def _is_due() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    asking = viewer()
    if asking is None or not getattr(view, "recently_authenticated", False):
        return False
    return asking.authenticated_at <= clock.now() - RECENT


async def _asked() -> ResponseReturnValue:
    if wants_json():
        return error_json(translated(ASK), 403)
    if request.method in ("GET", "HEAD"):
        back = request.full_path.rstrip("?")
        return redirect(f"/reauthenticate?next={quote(back)}", 303)
    return await page(await _interrupted()), 403


@pages.get("/reauthenticate")
@member
async def show() -> ResponseReturnValue:
    return await page(Form({"next": request.args.get("next", "")}))


@pages.post("/reauthenticate")
@member
@unlimited("failures are counted per account")
async def prove() -> ResponseReturnValue:
    form = await read_form("password", "next", again=page)
    form.values |= await kept_fields()
    async with site().db.reading() as session:
        means = await means_of(session, me().id)
        mine = await logins.credentials_of(session, me().id)
    stored = mine.password_hash if means.has_password else None
    async with password_attempt(me().id) as attempt:
        if not await passwords.matches(stored, form["password"]):
            await attempt.failed()
            raise Invalid("password", NOT_YOURS)
    await proven()
    return go_on(form)


@pages.post("/reauthenticate/with-passkey")
@member
@limited("60/hour")
async def prove_with_passkey() -> ResponseReturnValue:
    form = await read_form("credential", "next", again=page)
    form.values |= await kept_fields()
    challenge, here = challenges.returned(PROVE), await challenges.relying_party()
    async with site().db.writing() as session:
        signed = await challenges.spend(session, challenge)
        if await passkeys.owner(session, here, signed, form["credential"]) != me().id:
            raise Invalid("credential", passkeys.REFUSED)
    await proven()
    return go_on(form)


@pages.post("/reauthenticate/by-mail")
@member
@limited("5/hour")
async def mail_code() -> ResponseReturnValue:
    form = await read_form("next", again=page)
    form.values |= await kept_fields()
    async with writing_as_me() as session:
        if not (await means_of(session, me().id)).email:  # a password is not got around by mail
            raise NotFound
        await proofs.ask(session, me().session_id)
    form.values |= {"mailed": "1", "code": ""}
    return await page(form)


@pages.post("/reauthenticate/with-code")
@member
@unlimited("failures are counted per account")
async def prove_with_code() -> ResponseReturnValue:
    form = await read_form("code", "next", "mailed", again=page)
    form.values |= await kept_fields()
    async with password_attempt(me().id) as attempt:
        async with site().db.reading() as session:
            is_right = await proofs.is_right(session, _secrets(), me().session_id, form["code"])
        if not is_right:
            await attempt.failed()
            raise Invalid("code", WRONG_CODE)
    await proven()
    return go_on(form)


async def proven() -> None:
    """Note that they are who they say, in this login session, under a new token."""
    async with writing_as_me() as session:
        token = await actions.prove_again(session, me().session_id)
    identity.sign_in(token, me().remembered)


def go_on(form: Form) -> ResponseReturnValue:
    """To the page they wanted, or to the form that they had sent."""
    wanted = safe_path(form["next"])
    kept = {name.removeprefix(KEPT): v for name, v in form.values.items() if name.startswith(KEPT)}
    if not kept:
        return redirect(wanted, 303)
    return render("signin/go_on.html", action=wanted, kept=kept)


async def _interrupted() -> Form:
    """What was sent, without passwords: those are typed again."""
    sent = await request.form
    names = [name for name in sent if name != "csrf_token" and "password" not in name]
    kept = {f"{KEPT}{name}": sent[name] for name in names[:MOST_KEPT]} or {f"{KEPT}again": "1"}
    return Form({"next": request.path, **kept})


async def kept_fields() -> dict[str, str]:
    """Those of the form that was interrupted, as the page that asks has carried them."""
    sent = await request.form
    return {name: sent[name] for name in sent if name.startswith(KEPT)}


async def page(form: Form) -> str:
    async with site().db.reading() as session:
        means = await means_of(session, me().id)
    kept = {name: value for name, value in form.values.items() if name.startswith(KEPT)}
    options = None
    if means.passkeys:
        options = passkeys.to_get(await challenges.relying_party(), challenges.new(PROVE))
    return render("signin/reauthenticate.html", form=form, kept=kept, means=means, options=options)


def _secrets() -> list[str]:
    settings = site().settings
    return [one for one in (settings.secret_key, settings.secret_key_old) if one]
