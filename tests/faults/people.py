"""People with accounts and open sessions, put straight into the database: a hundred registrations
would cost a hundred password hashes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from microblog.accounts import actions as accounts
from microblog.follows import actions as follows
from microblog.kernel import tokens
from microblog.kernel.model import Session
from microblog.signin import actions as signin
from microblog.web.identity import TimelessSerializer
from tests.faults.database import writing

KEY = "faults-key-0123456789-abcdefghijklmn"
SALT = "quart auth salt"


@dataclass(frozen=True)
class Seat:
    """Somebody in front of a browser that is signed in."""

    id: int
    name: str
    token: str

    @property
    def cookie(self) -> str:
        return f"session={TimelessSerializer(KEY, SALT).dumps(self.token)}"

    @property
    def csrf(self) -> str:
        return tokens.sign(tokens.key_for(KEY, "csrf"), f"session {self.token}")


async def seated(
    database: str, names: Sequence[str], *, following: Iterable[tuple[str, str]] = (),
    password_hash: str | None = None,
) -> dict[str, Seat]:  # fmt: skip
    """New accounts by name, each with one session; `following` are pairs (follower, followed)."""
    seats = {}
    async with writing(database) as session:
        for name in names:
            account = await accounts.create(
                session, name=name, email=f"{name}@example.org", password_hash=password_hash
            )
            token = await _session(session, account.id)
            seats[name] = Seat(account.id, name, token)
        for follower, followed in following:
            await follows.follow(session, seats[follower].id, seats[followed].id)
    return seats


async def another_device(database: str, seat: Seat) -> Seat:
    async with writing(database) as session:
        return Seat(seat.id, seat.name, await _session(session, seat.id))


async def _session(session: Session, account_id: int) -> str:
    return await signin.open_session(
        session, account_id, remembered=True, user_agent="a test", address="127.0.0.0/24"
    )
