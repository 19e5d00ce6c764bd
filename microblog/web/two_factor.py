"""Two-factor sign-in, in the settings: setting it up, recovery codes, turning it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyotp
from markupsafe import Markup
from quart import Blueprint, ResponseReturnValue, flash, jsonify, redirect

from microblog.kernel import later
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.later import Later
from microblog.kernel.sealing import Seal
from microblog.signin import actions, two_factor
from microblog.site import me, site
from microblog.web import identity
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.attempts import code_attempt
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render

if TYPE_CHECKING:
    import segno
else:
    segno = Later("segno")

pages = Blueprint("two_factor", __name__)

HERE = "/settings/two-factor"
SETUP = f"{HERE}/setup"

OFF = N_("Two-factor sign-in is off. Your password alone signs you in.")


def seal() -> Seal:
    settings = site().settings
    return Seal.of("second factor", settings.secret_key, settings.secret_key_old)


@pages.get(HERE)
@member
@recently_authenticated
async def show() -> ResponseReturnValue:
    return await _page(Form({"code": ""}))


@pages.post(SETUP)
@member
@recently_authenticated
@limited("20/hour")
async def begin() -> ResponseReturnValue:
    await read_form(again=_page)
    async with writing_as_me() as session:
        await two_factor.begin(session, seal(), me().id)
    return done(SETUP)


@pages.get(SETUP)
@member
@recently_authenticated
async def set_up() -> ResponseReturnValue:
    async with site().db.reading() as session:
        secret = await two_factor.secret_to_confirm(session, seal(), me().id)
    return await _setup_page(Form({"code": ""})) if secret else redirect(HERE, 303)


@pages.post(HERE)
@member
@recently_authenticated
@limited("60/hour")
async def turn_on() -> ResponseReturnValue:
    """With the code that the app shows; the answer shows the recovery codes, this once."""
    form = await read_form("code", again=_setup_page)
    async with code_attempt(me().id) as attempt:
        try:
            async with writing_as_me() as session:
                codes = await two_factor.turn_on(
                    session, seal(), me().id, me().session_id, form["code"]
                )
                token = await actions.renew_session(session, me().session_id)
        except Invalid:
            await attempt.failed()
            raise
    identity.sign_in(token, me().remembered)
    return _codes_page(codes, is_new=True)


@pages.post(f"{HERE}/codes")
@member
@recently_authenticated
@limited("10/hour")
async def renew_codes() -> ResponseReturnValue:
    """With a code: a password alone must not make what stands for one."""
    form = await read_form("current_code", again=_page)
    async with code_attempt(me().id) as attempt:
        async with writing_as_me() as session:
            right = await two_factor.check(session, seal(), me().id, form["current_code"])
            if right or not await two_factor.is_on(session, me().id):
                codes = await two_factor.renew_codes(session, me().id)
        if not right:
            await attempt.failed()
            raise Invalid("current_code", two_factor.WRONG)
    return _codes_page(codes, is_new=False)


@pages.post(f"{HERE}/off")
@member
@recently_authenticated
@limited("60/hour")
async def turn_off() -> ResponseReturnValue:
    form = await read_form("code", again=_page)
    async with code_attempt(me().id) as attempt:
        async with writing_as_me() as session:
            right = await two_factor.check(session, seal(), me().id, form["code"])
            if right:
                await two_factor.turn_off(session, me().id)
                token = await actions.renew_session(session, me().session_id)
        if not right:
            await attempt.failed()
            raise Invalid("code", two_factor.WRONG)
    identity.sign_in(token, me().remembered)
    if not wants_json():
        await flash(translated(OFF), "notice")
    return done(HERE)


def _codes_page(codes: list[str], *, is_new: bool) -> ResponseReturnValue:
    if wants_json():
        return jsonify({"url": HERE, "recovery_codes": codes})
    return render("settings/recovery_codes.html", codes=codes, is_new=is_new)


async def _page(form: Form) -> str:
    form.values = {"code": "", "current_code": "", **form.values}
    async with site().db.reading() as session:
        state = await two_factor.state(session, me().id)
    return render("settings/two_factor.html", form=form, state=state)


async def _setup_page(form: Form) -> str:
    async with site().db.reading() as session:
        secret = await two_factor.secret_to_confirm(session, seal(), me().id)
    if secret is None:
        return await _page(form)
    await later.load("segno")
    uri = pyotp.TOTP(secret).provisioning_uri(name=me().name, issuer_name=site().chosen.name)
    grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return render("settings/two_factor_setup.html", form=form, qr=_qr(uri), secret=grouped, uri=uri)


def _qr(content: str) -> Markup:
    """Black on white in every theme, or cameras would not read it; no inline style (CSP)."""
    drawn = segno.make(content, error="m", micro=False).svg_inline(
        scale=4, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn here, of squares
