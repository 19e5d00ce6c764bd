"""Questions about departures."""

from __future__ import annotations

from sqlalchemy import or_, select

from microblog.departures.model import Departure, WayBack
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.model import Session
from microblog.media import actions as pictures

SOME = 20


async def departure(session: Session, account_id: int) -> Departure | None:
    """While it can be taken back."""
    mine = select(Departure).where(Departure.account_id == account_id, Departure.due_at > now())
    return await session.scalar(mine)


async def undone_by(session: Session, token: str) -> Departure | None:
    """The one that a link takes back, while it can be."""
    link = select(WayBack.account_id).where(WayBack.token_hash == tokens.digest(token))
    account_id = await session.scalar(link)
    return await departure(session, account_id) if account_id is not None else None


async def unfinished(session: Session) -> list[int]:
    """Accounts of which something is to be taken away now."""
    waiting = or_(Departure.is_untold.is_(False), Departure.due_at <= now())
    some = select(Departure.account_id).where(waiting).order_by(Departure.due_at).limit(SOME)
    return list(await session.scalars(some))


async def pictures_left(session: Session, account_id: int) -> list[str]:
    """Names of the files of somebody who can come back no more; none of anybody else."""
    begun = await session.get(Departure, account_id)
    if begun is None or begun.due_at > now():
        return []
    return await pictures.shown_of(session, account_id)
