"""Who is working on which email.  A lease is a promise with an end: `due_at` of a leased row.

Each lease raises the row's `fence`; whatever is written about an email names the fence and the
owner, so a worker that was away for longer than its lease can change nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Select, Update, bindparam, select, update

from microblog.kernel.clock import now
from microblog.kernel.model import Session
from microblog.mail.outbox import ACTIVE, Email

# Short, so that mail of a killed process goes out soon; renewed while its process lives.
LEASE = timedelta(seconds=30)
RENEW = 10.0


@dataclass(frozen=True, slots=True)
class Lease:
    """One email, borrowed."""

    id: int
    fence: int
    owner: str
    kind: str
    payload: dict[str, Any]
    recipient: str | None
    bundle: str | None
    message_id: str
    tries: int
    throttled: bool
    give_up_at: datetime
    reason: str | None
    content: bytes | None

    @property
    def account_id(self) -> int | None:
        found = self.payload.get("account_id")
        return found if isinstance(found, int) else None


_COLUMNS = (
    Email.id, Email.fence, Email.kind, Email.payload, Email.recipient, Email.bundle,
    Email.message_id, Email.tries, Email.throttled, Email.give_up_at, Email.reason, Email.content,
)  # fmt: skip

_DUE = (
    select(*_COLUMNS)
    .where(Email.state.in_(ACTIVE), Email.due_at <= bindparam("moment"))
    .order_by(Email.due_at, Email.id)
    .limit(bindparam("most"))
)
_ANY_DUE = _DUE.with_only_columns(Email.id)

_HELD = (
    Email.id == bindparam("the_id"),
    Email.fence == bindparam("the_fence"),
    Email.lease_owner == bindparam("the_owner"),
    Email.state == "leased",
)
_STORE = (
    update(Email)
    .where(*_HELD)
    .values(content=bindparam("the_bytes"), recipient=bindparam("the_recipient"))
)


async def is_due(session: Session, moment: datetime) -> bool:
    """Whether taking would find anything.  A read: an idle outbox is never written to."""
    return await session.scalar(_ANY_DUE, {"moment": moment, "most": 1}) is not None


async def due(session: Session, owner: str, most: int) -> list[Lease]:
    """The emails whose time has come, longest waiting first; locked, not yet leased."""
    locked: Select[Any] = _DUE.with_for_update(skip_locked=True)
    rows = await session.execute(locked, {"moment": now(), "most": most})
    return [Lease(**{**row, "fence": row["fence"] + 1, "owner": owner}) for row in rows.mappings()]


async def lease(session: Session, leases: Iterable[Lease], owner: str) -> None:
    ids = [each.id for each in leases]
    taken = update(Email).where(Email.id.in_(ids))
    await session.execute(
        taken.values(
            state="leased", lease_owner=owner, fence=Email.fence + 1, due_at=now() + LEASE,
            throttled=False,
        )
    )  # fmt: skip


async def renew(session: Session, ids: Iterable[int], owner: str) -> set[int]:
    """Which of `ids` are still ours, now for longer."""
    mine = Email.id.in_(list(ids)), Email.lease_owner == owner, Email.state == "leased"
    renewed = update(Email).where(*mine).values(due_at=now() + LEASE).returning(Email.id)
    return set(await session.scalars(renewed))


async def store(session: Session, written: Iterable[Lease]) -> set[int]:
    """Fix the bytes of each; ids of those that are still ours and may be sent."""
    kept = set()
    for each in written:
        given = {**_held(each), "the_bytes": each.content, "the_recipient": each.recipient}
        if await _changed(session, _STORE, given):
            kept.add(each.id)
    return kept


async def change(session: Session, each: Lease, **values: object) -> bool:
    """Change an email and end its lease.  False if it is no longer ours."""
    statement = update(Email).where(*_HELD).values(lease_owner=None, **values)
    return await _changed(session, statement, _held(each))


async def release(session: Session, leases: Iterable[Lease]) -> None:
    """Give back untouched: due at once, as if never taken."""
    for each in leases:
        state = "deferred" if each.tries else "queued"
        await change(session, each, state=state, due_at=now())


def _held(each: Lease) -> dict[str, object]:
    return {"the_id": each.id, "the_fence": each.fence, "the_owner": each.owner}


async def _changed(session: Session, statement: Update, given: dict[str, object]) -> bool:
    result = cast(CursorResult[Any], await session.execute(statement, given))
    return result.rowcount == 1
