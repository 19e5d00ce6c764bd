"""A code by mail, for somebody who is signed in and has to show once more who they are.

Where there is no password and no passkey, and no provider that really asks: who reads the mail of
an account could have a new password for it just as well.  It is a code and not a link, since what
they were about to do waits on the page that asks.

Nothing is stored.  A code is made of the login session it is for, of when that was proven last (so
that it works once) and of the time of day; it is good for ten to twenty minutes.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.signin.model import LoginSession

PURPOSE = "proof by mail"
LIFE = timedelta(minutes=10)
_BYTES = 5  # 40 bits, of which ten guesses are allowed in a quarter of an hour: eight letters


async def ask(session: Session, session_id: int) -> None:
    await outbox.enqueue(session, "proof", {"login_session_id": session_id}, give_up=LIFE)


async def code(session: Session, secret: str, session_id: int) -> tuple[int, str] | None:
    """Whose it is, and what they are to type; None once that login session has ended."""
    asking = await session.get(LoginSession, session_id)
    if asking is None:
        return None
    written = _code(secret, asking, _window(now()))
    return asking.account_id, f"{written[:4]}-{written[4:]}"


async def is_right(session: Session, secrets: Iterable[str], session_id: int, written: str) -> bool:
    asking = await session.get(LoginSession, session_id)
    typed = "".join(letter for letter in written.upper() if letter.isalnum())
    if asking is None:
        return False
    here = _window(now())
    valid = [_code(secret, asking, at) for secret in secrets for at in (here, here - 1)]
    return any(tokens.same(typed, one) for one in valid)


def _code(secret: str, asking: LoginSession, window: int) -> str:
    """A to Z and 2 to 7: no two of them look alike."""
    about = f"{asking.id} {asking.account_id} {asking.authenticated_at} {window}"
    signed = hmac.digest(tokens.key_for(secret, PURPOSE), about.encode(), "sha256")
    return base64.b32encode(signed[:_BYTES]).decode()


def _window(moment: datetime) -> int:
    return int(moment.timestamp() // LIFE.total_seconds())
