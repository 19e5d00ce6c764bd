"""Who is working on which email (`kernel.leasing`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import RowMapping, Select, Table, bindparam, case, or_, select, tuple_, update

from microblog.kernel.clock import now
from microblog.kernel.leasing import Leasing, changed, names
from microblog.kernel.model import Session
from microblog.mail.outbox import IS_ACTIVE, Email
from microblog.mail.watch import Watch

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


# Core, with statements built once: an email costs a few of them, and a backlog is many emails.
_emails = cast(Table, Email.__table__)
_c = _emails.c
_leasing = Leasing(_emails)

_DUE = (
    select(
        _c.id, _c.fence, _c.kind, _c.payload, _c.recipient, _c.bundle, _c.message_id, _c.tries,
        _c.throttled, _c.give_up_at, _c.reason, _c.content, _c.state, _c.due_at,
    )
    .where(IS_ACTIVE, _c.due_at <= bindparam("moment"))
    .order_by(_c.due_at, _c.id)
    .limit(bindparam("most"))
)  # fmt: skip
_BORROWED = [column.name for column in _DUE.selected_columns][:-2]

_NOT_THOSE = or_(_c.state != "leased", _c.id.not_in(bindparam("those", expanding=True)))
_ANY_DUE = _DUE.with_only_columns(_c.id).where(_NOT_THOSE)

_MINE, _HELD = _leasing.mine, _leasing.held
_HELD_OF_MANY = tuple_(_c.id, _c.fence).in_(bindparam("pairs", expanding=True)), *_MINE

_STORE = (
    update(_emails)
    .where(*_HELD)
    .values(content=bindparam("the_content"), recipient=bindparam("the_recipient"))
)
_STILL_HELD = select(_c.id).where(*_HELD_OF_MANY)
_SENT = (
    update(_emails)
    .where(*_HELD_OF_MANY)
    .values(
        state="sent", sent_at=bindparam("moment"), tries=_c.tries + 1, reason=None,
        lease_owner=None, payload={},
    )
)  # fmt: skip
# Settling and renewing meet in the same rows.  Both lock them by id first, so that neither holds
# one that the other waits for.
_LOCK = (
    select(_c.id).where(_c.id.in_(bindparam("ids", expanding=True))).order_by(_c.id)
).with_for_update()
_RENEW = update(_emails).where(_c.id.in_(_LOCK), *_MINE)
_SENT_AND_WIPED = _SENT.values(content=None)


async def is_due(session: Session, moment: datetime, watch: Watch) -> bool:
    """Whether taking would find anything.  A read: an idle outbox is never written to."""
    given = {"moment": moment, "most": 1, "those": watch.ids()}
    return await session.scalar(_ANY_DUE, given) is not None


async def due(session: Session, owner: str, most: int, watch: Watch) -> list[Lease]:
    """The emails whose time has come, longest waiting first; locked, not yet leased.

    Leases that have run out are left to `watch` until they are known to be abandoned, whatever a
    clock that was set forward says of their end.
    """
    locked: Select[Any] = _DUE.where(_NOT_THOSE).with_for_update(skip_locked=True)
    while True:
        given = {"moment": now(), "most": most, "those": watch.ids()}
        rows = (await session.execute(locked, given)).mappings().all()
        free = [row for row in rows if row["state"] != "leased" or _is_abandoned(row, watch)]
        if free or not rows:
            return [_borrowed(row, owner) for row in free]


def _is_abandoned(row: RowMapping, watch: Watch) -> bool:
    return watch.is_abandoned(row["id"], row["fence"], row["due_at"])


def _borrowed(row: RowMapping, owner: str) -> Lease:
    known = {name: row[name] for name in _BORROWED}
    return Lease(**{**known, "fence": row["fence"] + 1, "owner": owner})


async def lease(session: Session, leases: Iterable[Lease], owner: str) -> None:
    ids = [each.id for each in leases]
    await _leasing.take(session, ids, owner, now() + LEASE, throttled=False)


async def renew(session: Session, ids: Iterable[int], owner: str) -> set[int]:
    """Which of `ids` are still ours, now for longer."""
    renewed = _RENEW.values(due_at=now() + LEASE).returning(_c.id)
    return set(await session.scalars(renewed, {"ids": list(ids), "owner": owner}))


async def lock(session: Session, ids: Iterable[int]) -> None:
    """Have these to ourselves until the transaction ends."""
    await session.execute(_LOCK, {"ids": list(ids)})


async def store(session: Session, written: list[Lease]) -> set[int]:
    """Fix the bytes of each; ids of those that are still ours and may be sent."""
    if not written:
        return set()
    given = [
        {**names(each), "the_content": each.content, "the_recipient": each.recipient}
        for each in written
    ]
    await session.execute(_STORE, given)
    pairs = [(each.id, each.fence) for each in written]
    held = {"pairs": pairs, "owner": written[0].owner}
    return set(await session.scalars(_STILL_HELD, held))


async def sent(
    session: Session, pairs: list[tuple[int, int]], owner: str, *, keep_content: bool
) -> int:
    """Settle what was sent, by id and fence, and wipe it.  How many were still the owner's."""
    statement = _SENT if keep_content else _SENT_AND_WIPED
    return await changed(session, statement, {"moment": now(), "pairs": pairs, "owner": owner})


async def change(session: Session, each: Lease, **values: object) -> bool:
    """Change an email and end its lease.  False if it is no longer ours."""
    return await _leasing.change(session, each, **values)


async def release(session: Session, leases: Iterable[Lease]) -> None:
    """Give back untouched: due at once, as if never taken."""
    for each in leases:
        state = "deferred" if each.tries else "queued"
        await change(session, each, state=state, due_at=now())


async def release_all(session: Session, owner: str) -> None:
    """Of an owner that is dead."""
    state = case((_c.tries > 0, "deferred"), else_="queued")
    theirs = (
        update(_emails).where(*_MINE, IS_ACTIVE).values(state=state, due_at=now(), lease_owner=None)
    )
    await session.execute(theirs, {"owner": owner})
