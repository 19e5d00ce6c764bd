"""Who is asking.  Quart-Auth carries a random token in a signed cookie; the row behind it decides.

The cookie has no time stamp: Quart-Auth's own would sign people out when a clock steps back by two
seconds (SECURITY H10).  Expiry lives in the row.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha512
from typing import Any, TypeVar

from itsdangerous import BadData, BadSignature, URLSafeSerializer
from quart import Quart, current_app, g, request
from quart_auth import Action, AuthUser, QuartAuth, current_user

from microblog.crossposts import queries as crossposts
from microblog.kernel import clock, patience, tokens
from microblog.kernel.db import FAULTS
from microblog.kernel.model import Session
from microblog.moderation import queries as moderation
from microblog.moderation.permissions import is_staff
from microblog.moderation.queries import Waiting
from microblog.notifications import queries as notifications
from microblog.settings import Settings
from microblog.signin import actions as signin
from microblog.site import site, viewer

log = logging.getLogger(__name__)

REMEMBERED = timedelta(days=30)
TOUCH_EVERY = timedelta(minutes=5)

View = TypeVar("View", bound=Callable[..., Any])


class TimelessSerializer(URLSafeSerializer):
    """Signs with SHA-512; whatever it cannot read is a bad signature, never an error page."""

    def __init__(self, secret: Any, salt: str | bytes) -> None:  # noqa: ANN401 - itsdangerous
        super().__init__(secret, salt, signer_kwargs={"digest_method": sha512})

    def loads(self, token: str | bytes, **_age: Any) -> str:  # type: ignore[override]  # noqa: ANN401
        try:
            value = super().loads(token)
        except (BadData, ValueError, RecursionError) as error:
            raise BadSignature("unreadable") from error
        if not isinstance(value, str):
            raise BadSignature("not a token")
        return value


def configure(app: Quart, settings: Settings) -> None:
    """Keys and cookies, for `install`."""
    app.secret_key = settings.secret_key
    app.config.update(
        SECRET_KEY_FALLBACKS=[settings.secret_key_old] if settings.secret_key_old else [],
        # Quart's own session carries flashed sentences and nothing else.
        SESSION_COOKIE_NAME=cookie_name("flash", https=settings.https),
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )


def install(app: Quart) -> QuartAuth:
    https = bool(app.config["SESSION_COOKIE_SECURE"])
    auth = QuartAuth(
        app,
        cookie_name=cookie_name("session", https=https),
        cookie_secure=https,
        cookie_samesite="Lax",
        duration=int(REMEMBERED.total_seconds()),
        serializer_class=TimelessSerializer,  # type: ignore[arg-type]
    )
    app.before_request(_recognise_first)
    return auth


def cookie_name(name: str, *, https: bool) -> str:
    """``__Host-`` binds a cookie to this host; browsers accept the prefix over TLS only."""
    return f"__Host-{name}" if https else name


def recognises(view: View) -> View:
    """Declares that a route reads in a block of `recognising`, and refuses nothing before that: a
    refusal, too, is told to whoever asks."""
    view.recognises = True  # type: ignore[attr-defined]
    return view


@asynccontextmanager
async def recognising() -> AsyncIterator[Session]:
    """A reading block that begins with who is asking.  What is looked at most is read in one
    moment, and a page costs a twentieth less than with a block for each."""
    token = current_user.auth_id
    async with site().db.reading() as session:
        if token is not None:
            await _recognise(session, token)
        yield session
    await _keep_alive(token)


async def _recognise_first() -> None:
    g.viewer = g.position = None
    g.waiting = Waiting()
    token = current_user.auth_id
    if token is None or request.path.startswith(("/static/", "/media/")):
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "recognises", False):
        return
    async with site().db.reading() as session:
        await _recognise(session, token)
    await _keep_alive(token)


async def _recognise(session: Session, token: str) -> None:
    arrived = await notifications.arrival(session, tokens.digest(token))
    if arrived is None:
        return
    if is_staff(arrived.viewer.role):
        g.waiting = await moderation.waiting(session)
    if site().settings.copies_posts:
        g.places = await crossposts.places_to_write(session, arrived.viewer.id)
    g.viewer, g.position = arrived.viewer, arrived.position


async def _keep_alive(token: str | None) -> None:
    """Write at most every few minutes that the device was seen, and renew a remembered cookie.

    Pages can be read while nothing can be written: on a full disk, or while it is locked.
    """
    known = viewer()
    if known is None or token is None or clock.now() - known.last_seen_at < TOUCH_EVERY:
        return
    try:
        with patience.briefly(1.0):
            async with site().db.writing() as session:
                await signin.touch(session, known.session_id)
    except FAULTS as error:
        log.warning("a sign of life could not be noted: %s", getattr(error, "orig", error))
        return
    if known.remembered:
        _set(token, remembered=True)


def sign_in(token: str, remembered: bool) -> None:
    """Give the browser the token of a new login session."""
    _set(token, remembered=remembered)


def sign_out() -> None:
    _extension().logout_user()


def _set(token: str, *, remembered: bool) -> None:
    action = Action.WRITE_PERMANENT if remembered else Action.WRITE
    _extension().login_user(AuthUser(token, action))


def _extension() -> QuartAuth:
    extensions: list[QuartAuth] = current_app.extensions["QUART_AUTH"]
    return extensions[0]
