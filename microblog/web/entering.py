"""The last piece of every way of signing in: a code if the account has one, else the session.

async with site().db.writing() as session:
    way = await entering.enter(session, account_id, remembered=False, next_path=path)
return entering.entered(way)
"""

from __future__ import annotations

from quart import Response, ResponseReturnValue, after_this_request, request
from werkzeug.wrappers import Response as WerkzeugResponse

from microblog.accounts.actions import is_time_zone
from microblog.kernel.model import Session
from microblog.signin import actions, entrance
from microblog.signin.entrance import Browser, Entered
from microblog.signin.model import SignInStep
from microblog.site import site, viewer
from microblog.web import client, identity
from microblog.web.answers import done
from microblog.web.identity import cookie_name
from microblog.web.known_devices import known_device, remember_device

AnyResponse = Response | WerkzeugResponse

SECOND_STEP = "/login/second-step"


async def enter(
    session: Session,
    account_id: int,
    *,
    remembered: bool,
    next_path: str,
    quiet: bool = False,
    proven_twice: bool = False,
    proven: bool = True,
) -> Entered:
    """In the transaction that has found out who it is.

    `quiet`: they get another mail about this sign-in, or it is their first.
    """
    here = await browser(account_id, quiet=quiet)
    way = await entrance.enter(
        session, account_id, here,
        remembered=remembered, next_path=next_path, proven_twice=proven_twice, proven=proven,
    )  # fmt: skip
    if not way.waits_for_code:
        await _leave(session)
    return way


async def finish(session: Session, waiting: SignInStep) -> Entered:
    """The code was right, too."""
    way = await entrance.finish(session, waiting, await browser(waiting.account_id))
    await _leave(session)
    return way


def entered(way: Entered) -> ResponseReturnValue:
    if way.waits_for_code:
        set_step(way.token)
        return done(SECOND_STEP)
    set_step(None)
    identity.sign_in(way.token, way.remembered)
    remember_device(way.account_id)
    return done(way.next_path)


async def browser(account_id: int, *, quiet: bool = False) -> Browser:
    """What this one says of itself."""
    languages = request.accept_languages
    zone = (await request.form).get("time_zone", "")
    return Browser(
        user_agent=request.user_agent.string,
        address=client.network(),
        language=languages[0][0][:35] if languages else None,
        time_zone=zone if zone and is_time_zone(zone) else None,
        is_known=quiet or known_device(account_id) is not None,
    )


def step_token() -> str:
    return request.cookies.get(_cookie(), "")


async def _leave(session: Session) -> None:
    """Whoever was signed in on this browser before is not any more."""
    if (before := viewer()) is not None:
        await actions.end_session(session, before.session_id, before.id)


def set_step(token: str | None) -> None:
    """With the answer to this request; the browser forgets it when the row is of no use."""
    if token is None and not step_token():
        return
    secure = site().settings.https

    @after_this_request
    async def add(response: AnyResponse) -> AnyResponse:
        response.set_cookie(
            _cookie(), token or "", max_age=entrance.STEP_LIFE if token else 0,
            httponly=True, samesite="Lax", secure=secure,
        )  # fmt: skip
        return response


def _cookie() -> str:
    return cookie_name("step", https=site().settings.https)
