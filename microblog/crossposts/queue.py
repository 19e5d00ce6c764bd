"""What is due, who is at it, and what became of it.

A crosspost that is sent is noted as such before its first byte leaves (`begin_sending`).  Whoever
dies between that and `settle` leaves it in doubt: neither X nor Facebook has a key by which they
would know a request again, so it is not sent twice but shown to its author as "unknown, look
there".  What can repeat is a deletion, which does no harm, and what was answered with an error of
the server (5xx), which X refuses as a duplicate if it had taken it after all.

A lease that has run out by the time of day is watched before anything is made of it
(`mail.watch`): the clock may have been set, and its worker be in the middle of a sentence.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from sqlalchemy import Select, Table, exists, or_, select
from sqlalchemy.orm import aliased

from microblog.crossposts.answers import AWAY, UNKNOWN, Answer, Outcome, refused
from microblog.crossposts.events import CrosspostFailed, CrosspostsChanged
from microblog.crossposts.model import DELETE, IS_ACTIVE, POST, Crosspost
from microblog.kernel.clock import believed, now
from microblog.kernel.events import record
from microblog.kernel.leasing import Leasing, names
from microblog.kernel.model import Session
from microblog.mail import schedule
from microblog.mail.watch import Watch

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)  # longer than all requests of one step together
GIVE_UP = timedelta(days=1)

_leasing = Leasing(cast(Table, Crosspost.__table__))
_other = aliased(Crosspost)
# One at a time for a place: tokens are renewed once, and posts keep their order.
_IS_ATTENDED = exists().where(
    _other.account_id == Crosspost.account_id,
    _other.kind == Crosspost.kind,
    _other.external_id == Crosspost.external_id,
    _other.state == "leased",
    _other.id != Crosspost.id,
)


@dataclass(frozen=True, slots=True)
class Work:
    """One crosspost, borrowed."""

    id: int
    fence: int
    owner: str
    post_id: int
    account_id: int
    kind: str
    external_id: str
    task: str
    body: str
    remote_id: str


async def is_due(session: Session, watch: Watch) -> bool:
    return await session.scalar(_due(watch).limit(1)) is not None


async def take(session: Session, owner: str, watch: Watch) -> Work | None:
    """The one that has waited longest; first, those whose worker is gone are told apart, and those
    whose day is over end."""
    await _end_doubtful(session, watch)
    await _end_overdue(session, watch)
    found = await _first_free(session, watch)
    if found is None:
        return None
    await _leasing.take(session, [found.id], owner, now() + LEASE)
    return Work(
        found.id, found.fence + 1, owner, found.post_id, found.account_id, found.kind,
        found.external_id, found.task, found.body, found.remote_id or "",
    )  # fmt: skip


async def is_held(session: Session, work: Work) -> bool:
    return await _held(session, work) is not None


async def begin_sending(session: Session, work: Work) -> bool:
    """From now on it may be there.  False if it is no longer ours."""
    found = await _held(session, work)
    if found is not None:
        found.sending_at, found.due_at = now(), now() + LEASE
    return found is not None


async def settle(session: Session, work: Work, answer: Answer, url: str = "") -> None:
    """`url` is where its author can look at it, or at the place."""
    found = await _held(session, work)
    if found is None:
        log.warning("crosspost %d was tried after its lease had passed on", work.id)
        return
    await _apply(session, found, answer, url)


async def fail(session: Session, found: Crosspost, reason: str, state: str = "failed") -> None:
    """For good, unless its author tries again."""
    found.state, found.reason, found.lease_owner = state, reason, None
    await record(session, CrosspostFailed(found.id, found.account_id))


def plan(found: Crosspost, task: str) -> None:
    """To be done from now on, for a day."""
    found.task, found.state, found.reason, found.sending_at = task, "queued", None, None
    found.tries, found.due_at, found.give_up_at = 0, now(), now() + GIVE_UP
    found.fence += 1
    found.lease_owner = None


def _due(watch: Watch) -> Select[Crosspost]:
    """The longest waiting first, without the leases that are looked at already."""
    is_news = or_(Crosspost.state != "leased", Crosspost.id.not_in(watch.ids()))
    due = select(Crosspost).where(IS_ACTIVE, Crosspost.due_at <= now(), is_news)
    return due.order_by(Crosspost.due_at, Crosspost.id)


def _is_free(found: Crosspost, watch: Watch) -> bool:
    """Whether nobody is at it."""
    return found.state != "leased" or watch.is_abandoned(found.id, found.fence, found.due_at)


async def _first_free(session: Session, watch: Watch) -> Crosspost | None:
    while True:
        found = await session.scalar(_due(watch).where(~_IS_ATTENDED).limit(1))
        if found is None or _is_free(found, watch):
            return found


async def _end_doubtful(session: Session, watch: Watch) -> None:
    """Leases that ended while the words were on their way; deletions are simply tried again."""
    left = _due(watch).where(Crosspost.state == "leased", Crosspost.sending_at.is_not(None))
    for found in (await session.scalars(left)).all():
        if _is_free(found, watch):
            log.warning("crosspost %d was on its way when its worker died", found.id)
            await _apply(session, found, UNKNOWN, "")


async def _end_overdue(session: Session, watch: Watch) -> None:
    """Also those that were never tried: what is copied after days surprises its author."""
    over = _due(watch).where(Crosspost.give_up_at <= believed())
    for found in (await session.scalars(over)).all():
        if _is_free(found, watch):
            await _apply(session, found, refused(found.reason or AWAY), "")


async def _apply(session: Session, found: Crosspost, answer: Answer, url: str) -> None:
    found.lease_owner = None
    found.remote_url = url or found.remote_url
    match answer.outcome:
        case Outcome.DONE:
            await _done(session, found, answer)
        case Outcome.GONE:
            await session.delete(found)
        case Outcome.UNKNOWN if found.task == POST:
            await fail(session, found, answer.reason, "unknown")
        case Outcome.LATER | Outcome.UNKNOWN:
            await _defer(session, found, answer)
        case _:
            await _give_up(session, found, answer.reason)
    await record(session, CrosspostsChanged(found.post_id, found.account_id))


async def _done(session: Session, found: Crosspost, answer: Answer) -> None:
    if found.task == DELETE:
        await session.delete(found)
        return
    found.state, found.reason, found.body = "done", None, ""
    found.sent_at, found.sending_at, found.remote_id = now(), None, answer.remote_id
    if found.is_unwanted:
        plan(found, DELETE)


async def _defer(session: Session, found: Crosspost, answer: Answer) -> None:
    found.tries += 1
    wait = max(schedule.wait(found.tries), timedelta(seconds=answer.wait))
    found.due_at = now() + wait
    if believed() + wait >= found.give_up_at:
        await _give_up(session, found, answer.reason)
        return
    found.state, found.reason, found.sending_at = "deferred", answer.reason, None


async def _give_up(session: Session, found: Crosspost, reason: str) -> None:
    if found.task == POST and found.is_unwanted:
        await session.delete(found)  # its post is gone, and it never was there
    else:
        log.info("crosspost %d to %s failed: %s", found.id, found.kind, reason)
        await fail(session, found, reason)


async def _held(session: Session, work: Work) -> Crosspost | None:
    wanted = select(Crosspost).where(*_leasing.held).with_for_update()
    return await session.scalar(wanted, names(work))
