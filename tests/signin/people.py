"""Somebody with an account, made quickly: one hash serves all of them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from microblog.accounts import actions as accounts
from microblog.accounts.model import Account
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.events import Event, LoggedEvent
from microblog.signin import actions
from microblog.signin.model import LoginSession
from microblog.signin.queries import Viewer, viewer

HASH = "$argon2id$not a real one"


async def person(db: Database, name: str = "ada", password_hash: str | None = HASH) -> int:
    async with db.writing() as session:
        account = await accounts.create(
            session, name=name, email=f"{name}@example.org", password_hash=password_hash
        )
        return account.id


async def signed_in(db: Database, account_id: int, agent: str = "a test") -> str:
    """The token of a new login session."""
    async with db.writing() as session:
        return await actions.open_session(
            session, account_id, remembered=False, user_agent=agent, address="127.0.0.0/24"
        )


async def behind(db: Database, token: str) -> Viewer | None:
    async with db.reading() as session:
        return await viewer(session, tokens.digest(token))


async def session_id(db: Database, token: str) -> int:
    found = await behind(db, token)
    assert found is not None
    return found.session_id


async def age(db: Database, token: str, *, seen: timedelta, left: timedelta) -> None:
    """As if the session was last used `seen` ago and ended in `left`."""
    mine = update(LoginSession).where(LoginSession.token_hash == tokens.digest(token))
    async with db.writing() as session:
        await session.execute(mine.values(last_seen_at=now() - seen, expires_at=now() + left))


async def suspend(db: Database, account_id: int) -> None:
    async with db.writing() as session:
        mine = update(Account).where(Account.id == account_id)
        await session.execute(mine.values(suspended_at=now()))


async def happened(db: Database) -> list[Event]:
    async with db.reading() as session:
        logged = await session.scalars(select(LoggedEvent).order_by(LoggedEvent.id))
        return [event for one in logged if (event := one.event())]
