"""The second step of signing in: a code, after the password or whatever came first."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash

from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.signin import entrance, two_factor
from microblog.signin.model import SignInStep
from microblog.site import site
from microblog.web import entering, shut_out
from microblog.web.access import public
from microblog.web.answers import done, error_json, wants_json
from microblog.web.attempts import code_attempt
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import unlimited
from microblog.web.rendering import render
from microblog.web.two_factor import seal

pages = Blueprint("second_step", __name__)

TOO_LATE = N_("That took more than five minutes. Sign in once more.")


@pages.get(entering.SECOND_STEP)
@public
async def show() -> ResponseReturnValue:
    async with site().db.reading() as session:
        waiting = await entrance.step(session, entering.step_token())
    return await _page(Form({"code": ""})) if waiting else await _too_late()


@pages.post(entering.SECOND_STEP)
@public
@unlimited("failures are counted per account, or per known device")
async def enter() -> ResponseReturnValue:
    form = await read_form("code", "time_zone", again=_page)
    async with site().db.reading() as session:
        waiting = await entrance.step(session, entering.step_token())
    if waiting is None:
        return await _too_late()
    async with code_attempt(waiting.account_id) as attempt:
        async with site().db.writing() as session:
            waiting = await entrance.step(session, entering.step_token())
            if waiting is None:
                return await _too_late()
            right = await two_factor.check(session, seal(), waiting.account_id, form["code"])
            answer = await _shown(session, waiting) if right else None
        if answer is None:
            await attempt.failed()
            raise Invalid("code", two_factor.WRONG)
    return answer


async def _shown(session: Session, waiting: SignInStep) -> ResponseReturnValue:
    """In, or where those are led who may not come in."""
    if link := await shut_out.elsewhere(session, waiting.account_id, proven_twice=True):
        await entrance.end_step(session, waiting)
        entering.set_step(None)
        return done(link)
    return entering.entered(await entering.finish(session, waiting))


async def _too_late() -> ResponseReturnValue:
    if wants_json():
        return error_json(translated(TOO_LATE), 401)
    await flash(translated(TOO_LATE), "notice")
    return done("/login")


async def _page(form: Form) -> str:
    async with site().db.reading() as session:
        waiting = await entrance.step(session, entering.step_token())
    next_path = waiting.next_path if waiting else "/"
    return render("signin/second_step.html", form=form, next_path=next_path)
