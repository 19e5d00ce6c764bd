"""No more than so many emails of one bundle an hour; the others wait and join a digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from microblog.kernel.clock import now
from microblog.kernel.model import Session
from microblog.mail.leases import Lease
from microblog.mail.letters import DIGEST
from microblog.mail.outbox import Email

HOUR = timedelta(hours=1)
MOST_ITEMS = 100  # of one digest; what is more waits for the next


class HourlyLimit:
    """Counts one transaction's emails, those sent in the last hour, and those on their way."""

    def __init__(self, session: Session, hourly: int) -> None:
        self._session = session
        self._hourly = hourly
        self._moments: dict[str, list[datetime]] = {}

    async def free_at(self, bundle: str) -> datetime | None:
        """When one more may be sent; None is now, and counts it."""
        if bundle not in self._moments:
            self._moments[bundle] = await self._counted(bundle)
        moments = self._moments[bundle]
        if len(moments) >= self._hourly:
            return moments[-self._hourly] + HOUR
        moments.append(now())
        return None

    async def _counted(self, bundle: str) -> list[datetime]:
        moment = now()
        # What was sent while the clock was ahead must hold nobody up until it gets there.
        lately = and_(Email.state == "sent", Email.sent_at.between(moment - HOUR, moment + HOUR))
        on_its_way = and_(Email.state == "leased", Email.due_at > moment)
        found = await self._session.scalars(
            select(Email.sent_at).where(Email.bundle == bundle, or_(lately, on_its_way))
        )
        return sorted(sent_at or moment for sent_at in found)


async def hold_back(session: Session, each: Lease, until: datetime) -> None:
    state = "deferred" if each.tries else "queued"
    waits = update(Email).where(Email.id == each.id)
    await session.execute(waits.values(state=state, due_at=until, throttled=True, lease_owner=None))


async def companions(session: Session, lead: Lease) -> list[int]:
    """The other held-back emails of the bundle that are not yet written, oldest first."""
    if not (lead.throttled and lead.bundle and lead.content is None):
        return []
    waiting = select(Email.id).where(*_held_back(lead)).order_by(Email.id).limit(MOST_ITEMS)
    return list(await session.scalars(waiting.with_for_update()))


async def join(session: Session, lead: Lease, others: list[int]) -> Lease:
    """Let `lead` tell of the `others`, too.  Kept in its row: a crash may compose it again."""
    if not others:
        return lead
    joining = Email.id.in_(others)
    columns = select(Email.kind, Email.payload).where(joining).order_by(Email.id)
    items = payloads(lead)
    for kind, payload in await session.execute(columns):
        items += _items(kind, payload)
    digest = {"items": items, "account_id": lead.account_id}
    await session.execute(
        update(Email).where(Email.id == lead.id).values(kind=DIGEST, payload=digest)
    )
    told = f"in digest {lead.id}"
    await session.execute(
        update(Email).where(joining).values(state="cancelled", reason=told, payload={})
    )
    return replace(lead, kind=DIGEST, payload=digest)


def payloads(lead: Lease) -> list[dict[str, Any]]:
    """What the composer of `lead` is given: one payload, or all of a digest."""
    return _items(lead.kind, lead.payload)


def _items(kind: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
    if kind == DIGEST:
        return list(payload["items"])
    return [{**payload, "kind": kind}]


def _held_back(lead: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        Email.bundle == lead.bundle,
        Email.state.in_(("queued", "deferred")),
        Email.throttled.is_(True),
        Email.content.is_(None),
        Email.id != lead.id,
    )
