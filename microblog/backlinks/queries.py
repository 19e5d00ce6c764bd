"""Questions about links that link back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select

from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.backlinks.model import VERIFIED, Backlink
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session


@dataclass(frozen=True, slots=True)
class LinkState:
    """As its owner sees it."""

    url: str
    state: str
    problem: str
    verified_at: datetime | None
    checked_at: datetime | None


async def states_of(session: Session, account_id: int) -> list[LinkState]:
    """In no order of theirs: the profile has one."""
    rows = await session.execute(
        select(
            Backlink.url, Backlink.state, Backlink.problem, Backlink.verified_at,
            Backlink.checked_at,
        ).where(Backlink.account_id == account_id)
    )  # fmt: skip
    return [LinkState(*row) for row in rows]


async def verified_of(session: Session, account_id: int) -> dict[str, datetime | None]:
    """Address of each link that links back, and since when it has been seen to."""
    theirs = select(Backlink.url, Backlink.verified_at)
    mine = theirs.where(Backlink.account_id == account_id, Backlink.state == VERIFIED)
    return {row.url: row.verified_at for row in await session.execute(mine)}


async def is_due(session: Session) -> bool:
    """Whether a lease would find anything.  A read: while there is nothing, nothing is written."""
    return await session.scalar(due().with_only_columns(Backlink.id).limit(1)) is not None


def due() -> Select[Backlink]:
    """Of people who can be seen; the longest waiting first."""
    idle = or_(Backlink.leased_until.is_(None), Backlink.leased_until <= now())
    of_people = select(Backlink).join(Account, Account.id == Backlink.account_id)
    waiting = of_people.where(Backlink.due_at <= now(), idle, Account.suspended_at.is_(None))
    return waiting.order_by(Backlink.due_at, Backlink.id)


async def is_one_of(session: Session, account_id: int, names: Iterable[str]) -> bool:
    """Whether one of the names is theirs, or still leads to them."""
    for name in names:
        try:
            if (await people.by_name(session, name)).id == account_id:
                return True
        except NotFound:
            continue
    return False
