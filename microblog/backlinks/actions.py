"""What becomes of a backlink: begun with the profile, leased, settled, looked for again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update

from microblog.accounts import queries as people
from microblog.backlinks.findings import Finding
from microblog.backlinks.model import MISSING, UNREACHABLE, VERIFIED, WAITING, Backlink
from microblog.backlinks.queries import due
from microblog.kernel.clock import now
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session

# Longer than a look takes, so that one that can only fail does so now and then, not all the time.
LEASE = timedelta(minutes=10)
AGAIN = timedelta(days=7)
# What was not found or fetched is looked for soon, then less and less often.
PAUSES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3))
FORGIVEN = 3  # times that a verified page may not answer
IMPATIENCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Work:
    """A link that is ours to look behind, while nobody raises the fence."""

    id: int
    account_id: int
    url: str
    fence: int
    state: str
    tries: int


async def follow_profile(session: Session, account_id: int) -> None:
    """After its links were changed: those that are new are looked at, those that are gone are
    forgotten, and those that were not found get another chance."""
    wanted = {url for _label, url in (await people.account(session, account_id)).links}
    mine = Backlink.account_id == account_id
    known = set(await session.scalars(select(Backlink.url).where(mine)))
    gone = known - wanted
    await session.execute(delete(Backlink).where(mine, Backlink.url.in_(gone)))
    for url in sorted(wanted - known):
        session.add(
            Backlink(id=await next_id(session, Backlink.id), account_id=account_id, url=url)
        )
        await session.flush()
    await try_again(session, account_id)


async def try_again(session: Session, account_id: int) -> None:
    """What was not found is looked for now, unless it just was."""
    rested = Backlink.checked_at <= now() - IMPATIENCE
    lost = (Backlink.account_id == account_id, Backlink.state.in_((MISSING, UNREACHABLE)), rested)
    await session.execute(update(Backlink).where(*lost).values(state=WAITING, due_at=now()))


async def lease(session: Session, most: int) -> list[Work]:
    found = await session.scalars(due().limit(most).with_for_update(of=Backlink, skip_locked=True))
    taken = []
    for one in found:
        one.fence += 1
        one.leased_until = now() + LEASE
        taken.append(Work(one.id, one.account_id, one.url, one.fence, one.state, one.tries))
    return taken


async def postpone(session: Session, work: Work, wait: timedelta) -> None:
    """Too many were looked at just now."""
    await _change(session, work, due_at=now() + wait)


async def settle(session: Session, work: Work, found: Finding) -> bool:
    """Keep what was found; False when the link is gone or somebody else looks behind it."""
    if found.links_back:
        return await _found(session, work)
    tries = work.tries + 1
    if work.state == VERIFIED and not found.answered and tries <= FORGIVEN:
        return await _change(session, work, tries=tries, checked_at=now(), due_at=_next(tries))
    return await _change(
        session, work, state=MISSING if found.answered else UNREACHABLE, problem=found.problem,
        verified_at=None, tries=tries, checked_at=now(), due_at=_next(tries),
    )  # fmt: skip


async def _found(session: Session, work: Work) -> bool:
    since = {} if work.state == VERIFIED else {"verified_at": now()}
    return await _change(
        session, work, state=VERIFIED, problem="", tries=0, checked_at=now(),
        due_at=now() + AGAIN, **since,
    )  # fmt: skip


def _next(tries: int) -> datetime:
    return now() + (PAUSES[tries - 1] if tries <= len(PAUSES) else AGAIN)


async def _change(session: Session, work: Work, **values: object) -> bool:
    held = (Backlink.id == work.id, Backlink.fence == work.fence)
    changed = await session.execute(
        update(Backlink).where(*held).values(leased_until=None, **values)
    )
    return cast(CursorResult[Any], changed).rowcount == 1
