"""What happens to an import: offered, begun, leased, taken bite by bite, over, undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update

from microblog.accounts import queries as accounts
from microblog.imports import queries
from microblog.imports.events import ImportMoved
from microblog.imports.model import (
    ARCHIVE,
    ARRIVING,
    DONE,
    FAILED,
    LIST,
    OFFERED,
    OVER,
    STOPPED,
    UNDERWAY,
    UNDOING,
    WAITING,
    BroughtPost,
    Import,
    ImportPart,
    LeftOut,
)  # fmt: skip
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Forbidden
from microblog.kernel.events import record
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.kernel.text import shortened

# What can be taken from a copy; the last two change how follows and posts are taken.
CHOICES = ("profile", "pictures", "settings", "follows", "posts", "same_names", "answers")
STAGES: Mapping[str, tuple[str, ...]] = {
    ARCHIVE: ("profile", "pictures", "settings", "follows", "posts"),
    LIST: ("follows",),
}
OFFER_LIFE = timedelta(days=1)
REPORT_LIFE = timedelta(days=30)
LEASE = timedelta(minutes=1)
MOST_TRIES = 4  # leases without a bite: making one ends the process
PART = 1024 * 1024
SWEPT = 1000  # rows
SWEPT_PARTS = 8

BUSY = N_("Something of yours is being brought in already. Wait until it is done, or stop it.")
SILENCED = N_("Moderators have limited this account, so nothing can be brought in.")
NOTHING = N_("Choose at least one thing to bring along.")
STUCK = N_("It was begun several times and never got on. Tell those who run this site.")


@dataclass(frozen=True, slots=True)
class Work:
    """An import that is ours to go on with, while nobody raises the fence."""

    import_id: int
    fence: int


class Left(NamedTuple):
    """What is not taken, why, and what goes into the sentence that says why."""

    what: str
    why: str
    details: dict[str, Any]


class Lost(Exception):
    """Somebody else has taken over, or its owner has stopped it."""


async def offer(session: Session, account_id: int, contents: dict[str, Any], host: str) -> Import:
    """A copy that is about to arrive.  One that was offered before and not begun is dropped."""
    await check_may_bring(session, account_id)
    await _drop_offers(session, account_id)
    return await _add(
        session, account_id, kind=ARCHIVE, state=ARRIVING, host=host, contents=contents,
        expires_at=now() + OFFER_LIFE,
    )  # fmt: skip


async def add_part(session: Session, import_id: int, number: int, content: bytes) -> None:
    session.add(ImportPart(import_id=import_id, number=number, content=content))


async def arrived(session: Session, account_id: int, import_id: int) -> None:
    """All of it is here: its owner may choose."""
    (await queries.own(session, account_id, import_id)).state = OFFERED


async def begin(session: Session, account_id: int, import_id: int, wanted: Iterable[str]) -> None:
    """Take what is chosen of `CHOICES`.  Beginning twice is beginning once."""
    mine = await queries.own(session, account_id, import_id)
    if mine.state != OFFERED:
        return
    await check_may_bring(session, account_id)
    chosen = [choice for choice in CHOICES if choice in set(wanted)]
    if not set(chosen) & set(STAGES[ARCHIVE]):
        raise Conflict("", NOTHING)
    mine.wanted, mine.state, mine.expires_at = chosen, WAITING, None
    mine.total = sum(mine.contents.get(stage, 0) for stage in STAGES[ARCHIVE] if stage in chosen)
    await record(session, ImportMoved(account_id, mine.id))


async def begin_list(session: Session, account_id: int, people: list[str]) -> Import:
    """A list needs no look at it: it is begun at once."""
    await check_may_bring(session, account_id)
    begun = await _add(
        session, account_id, kind=LIST, state=WAITING, contents={"follows": len(people)},
        wanted=["follows"], total=len(people),
    )  # fmt: skip
    await add_part(session, begun.id, 0, "\n".join(people).encode())
    return begun


async def stop(session: Session, account_id: int, import_id: int) -> bool:
    """What was taken stays; what is offered is dropped.  Whether there is still something."""
    mine = await queries.own(session, account_id, import_id)
    if mine.state in (ARRIVING, OFFERED):
        mine.expires_at = now()
        return False
    if mine.state == WAITING:
        await end(session, mine, STOPPED)
    return True


async def undo(session: Session, account_id: int, import_id: int) -> None:
    """Delete the posts that it made, one bite after the other."""
    mine = await queries.own(session, account_id, import_id)
    if mine.state not in (DONE, STOPPED, FAILED):
        return
    await _refuse_second(session, account_id)
    mine.state, mine.stage, mine.place, mine.done, mine.tries = UNDOING, 0, 0, 0, 0
    mine.total = await queries.count_brought(session, mine.id)
    mine.leased_until = mine.expires_at = None
    await record(session, ImportMoved(account_id, mine.id))


async def check_may_bring(session: Session, account_id: int) -> None:
    """Raises `Forbidden` for limited people, and `Conflict` while something is underway."""
    await refuse_limited(session, account_id)
    await _refuse_second(session, account_id)


async def refuse_limited(session: Session, account_id: int) -> None:
    account = await accounts.account(session, account_id)
    if account.suspended_at is not None or account.silenced_at is not None:
        raise Forbidden(SILENCED)


# -- for the worker ----------------------------------------------------------------------------


async def lease(session: Session) -> Work | None:
    """The one that has waited longest, if there is any that nobody is at."""
    found = await session.scalar(queries.idle().with_for_update())
    if found is None:
        return None
    found.fence, found.tries = found.fence + 1, found.tries + 1
    found.leased_until = now() + LEASE
    if found.tries > MOST_TRIES:
        await end(session, found, FAILED, STUCK)
        return None
    return Work(found.id, found.fence)


async def held(session: Session, work: Work) -> Import:
    """The import, locked for the next bite.  Raises `Lost`."""
    wanted = select(Import).where(Import.id == work.import_id, Import.fence == work.fence)
    found = await session.scalar(wanted.where(Import.state.in_(UNDERWAY)).with_for_update())
    if found is None:
        raise Lost
    return found


async def note(
    session: Session, job: Import, steps: int, counts: Mapping[str, int], *, tell: bool
) -> None:
    """A bite of so many steps was taken."""
    job.place, job.done, job.tries = job.place + steps, job.done + steps, 0
    job.leased_until = now() + LEASE
    job.counts = job.counts | {name: job.counts.get(name, 0) + n for name, n in counts.items() if n}
    if tell:
        await record(session, ImportMoved(job.account_id, job.id))


async def leave_out(session: Session, job: Import, left: Sequence[Left]) -> None:
    first = job.counts.get("left_out", 0) + 1
    session.add_all(
        LeftOut(
            import_id=job.id, number=number, what=shortened(each.what, 120)[:500],
            why=each.why[:200], details=each.details,
        )
        for number, each in enumerate(left, first)
    )  # fmt: skip
    job.counts = job.counts | {"left_out": first - 1 + len(left)}
    await session.flush()


def next_stage(job: Import) -> None:
    job.stage, job.place = job.stage + 1, 0


async def end(session: Session, job: Import, state: str, reason: str = "") -> None:
    """It is over; the report stays for a while."""
    job.state, job.reason, job.leased_until = state, reason, None
    job.expires_at = now() + REPORT_LIFE
    await record(session, ImportMoved(job.account_id, job.id))


async def forget_parts(session: Session, import_id: int) -> bool:
    """Its bytes, some at a time: whether there may be more."""
    some = select(ImportPart.number).where(ImportPart.import_id == import_id).limit(SWEPT_PARTS)
    numbers = list(await session.scalars(some))
    parts = delete(ImportPart).where(ImportPart.import_id == import_id)
    await session.execute(parts.where(ImportPart.number.in_(numbers)))
    return bool(numbers)


async def forget_expired(session: Session) -> bool:
    """Sweep away old reports, what was never begun, and what stopped ones were made from, some rows
    at a time: whether there may be more."""
    spent = select(Import.id).join(ImportPart).where(Import.state.in_(OVER)).limit(1)
    if (over := await session.scalar(spent)) is not None:
        return await forget_parts(session, over)
    old = await session.scalar(select(Import.id).where(Import.expires_at <= now()).limit(1))
    if old is None or await forget_parts(session, old):
        return old is not None
    left = select(LeftOut.number).where(LeftOut.import_id == old).limit(SWEPT)
    brought = select(BroughtPost.post_id).where(BroughtPost.import_id == old).limit(SWEPT)
    numbers, posts = list(await session.scalars(left)), list(await session.scalars(brought))
    if numbers:
        rows = (LeftOut.import_id == old, LeftOut.number.in_(numbers))
        await session.execute(delete(LeftOut).where(*rows))
    elif posts:
        rows_of = update(BroughtPost).where(BroughtPost.post_id.in_(posts))
        await session.execute(rows_of.values(import_id=None))
    else:
        await session.execute(delete(Import).where(Import.id == old))
    return True


async def _add(session: Session, account_id: int, **values: Any) -> Import:  # noqa: ANN401
    made = Import(id=await next_id(session, Import.id), account_id=account_id, **values)
    session.add(made)
    await session.flush()
    return made


async def _drop_offers(session: Session, account_id: int) -> None:
    mine = update(Import).where(Import.account_id == account_id)
    await session.execute(
        mine.where(Import.state.in_((ARRIVING, OFFERED))).values(expires_at=now())
    )


async def _refuse_second(session: Session, account_id: int) -> None:
    if await queries.underway(session, account_id) is not None:
        raise Conflict("", BUSY)
