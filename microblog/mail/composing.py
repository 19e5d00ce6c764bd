"""From due rows to letters: who may go now, and what it says.  One writing transaction.

A mail that cannot be composed parks its own row and nobody else's.  So whatever a mistake in code
or data can raise is caught (`MISTAKES`); trouble with the machine or the database is not, and rolls
the whole step back to be tried again.  Savepoints would cost a third of a millisecond each, so they
are made only once a mistake has shown.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

from sqlalchemy.exc import DataError, IntegrityError, InvalidRequestError

from microblog.kernel.clock import believed, now
from microblog.kernel.errors import DomainError
from microblog.kernel.model import Session
from microblog.kernel.order import take_turn_at
from microblog.mail import leases, schedule
from microblog.mail.leases import Lease
from microblog.mail.letters import Cancelled, Compose, Letter
from microblog.mail.throttle import HourlyLimit, companions, hold_back, join, payloads
from microblog.mail.watch import Watch

log = logging.getLogger(__name__)

MISTAKES = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
_COMPOSING = (*MISTAKES, DomainError, InvalidRequestError, IntegrityError, DataError)

_TAKING = 7_241_905_118

# Leased this often without an outcome: composing it ends the process, say by running out of memory.
MOST_LEASES = 20

SETTLED: dict[str, object] = {
    "content": None,
    "payload": {},
}  # secrets and words go with the outcome


class Mistake(Exception):
    """Something among the due emails cannot be composed."""


@dataclass(slots=True)
class Taken:
    """What one transaction leased."""

    found: bool = False  # whether anything was due
    ready: list[Lease] = field(default_factory=list)  # bytes fixed by an earlier try
    letters: list[tuple[Lease, Letter]] = field(default_factory=list)


async def take(
    session: Session,
    owner: str,
    compose: Mapping[str, Compose],
    *,
    most: int,
    hourly: int,
    carefully: bool,
    watch: Watch,
) -> Taken:
    """Raises `Mistake` if a mail cannot be composed; called again `carefully`, it parks it."""
    # Several who take at once would each let through what one person may get in an hour.
    await take_turn_at(session, _TAKING)
    due = await leases.due(session, owner, most, watch)
    if not due:
        return Taken()
    limit = HourlyLimit(session, hourly)
    joining: dict[int, list[int]] = {}
    admitted = []
    for each in due:
        told_elsewhere = any(each.id in others for others in joining.values())
        if not told_elsewhere and await _may_go(session, each, limit):
            admitted.append(each)
            joining[each.id] = await companions(session, each)
    await leases.lease(session, admitted, owner)
    return await _composed(session, admitted, joining, compose, carefully)


async def park(session: Session, each: Lease, reason: str) -> None:
    """It cannot be sent, through no fault of the server."""
    log.error("email %d (%s) is dead: %s", each.id, each.kind, reason)
    await leases.change(session, each, state="dead", reason=reason, **SETTLED)


async def _may_go(session: Session, each: Lease, limit: HourlyLimit) -> bool:
    if each.give_up_at <= believed():
        await _give_up(session, each, f"given up: {each.reason or 'it could not be sent in time'}")
        return False
    if each.content is None and each.fence - each.tries > MOST_LEASES:
        await _give_up(session, each, "composing it never ends well")
        return False
    until = await limit.free_at(each.bundle) if each.bundle else None
    if until is not None:
        await hold_back(session, each, until)
    return until is None


async def _give_up(session: Session, each: Lease, reason: str) -> None:
    await leases.lease(session, [each], each.owner)
    await park(session, each, reason)


async def _composed(
    session: Session,
    admitted: list[Lease],
    joining: dict[int, list[int]],
    compose: Mapping[str, Compose],
    carefully: bool,
) -> Taken:
    taken = Taken(found=True)
    for each in admitted:
        if each.content is not None:
            taken.ready.append(each)
            continue
        try:
            async with session.begin_nested() if carefully else nullcontext():
                letter = await _compose(session, each, joining[each.id], compose)
        except _COMPOSING as error:
            if not carefully:
                raise Mistake from error
            log.exception("email %d (%s) could not be composed", each.id, each.kind)
            await park(session, each, f"composing failed: {type(error).__name__}")
            continue
        if letter is not None:
            taken.letters.append((each, letter))
    return taken


async def _compose(
    session: Session, each: Lease, others: list[int], compose: Mapping[str, Compose]
) -> Letter | None:
    whole = await join(session, each, others)
    composer = compose.get(whole.kind)
    if composer is None:  # written by a newer version: one of its workers will come
        await _defer_unknown(session, whole)
        return None
    said = await composer(session, payloads(whole))
    if isinstance(said, Cancelled):
        await leases.change(session, whole, state="cancelled", reason=said.reason, **SETTLED)
        return None
    return said


async def _defer_unknown(session: Session, each: Lease) -> None:
    tries = each.tries + 1
    reason = f"nothing here can write a mail of kind {each.kind}"
    due_at = now() + schedule.wait(tries)
    await leases.change(session, each, state="deferred", tries=tries, due_at=due_at, reason=reason)
