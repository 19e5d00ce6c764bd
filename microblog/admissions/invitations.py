"""Links by which members bring others along.

A link carries a signature, so nothing that is kept in the database opens the door.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, func, select

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.admissions.model import Invitation, InvitationUse
from microblog.kernel import text as texts
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Forbidden, Invalid, NotFound
from microblog.kernel.ids import LARGEST, next_id
from microblog.kernel.model import Session

MOST_USES = 100
DAYS = (1, 7, 30, 90)
LONGEST_NOTE = 100
KEPT = timedelta(days=90)  # what nobody came by, after its end
FORGOTTEN = 500

USES = N_("Write a number between %(low)s and %(high)s.")
LONG = N_("That is too long: at most %(limit)s characters.")
ENOUGH = N_("You have %(most)s invitations that work. Withdraw one, or wait until one ends.")
NONE = N_("No invitations are made here at present: the site settings allow none.")

_CODE = re.compile(r"([1-9][0-9]{0,18})-([0-9a-f]{40})")


def code(key: bytes, invitation_id: int) -> str:
    return f"{invitation_id}-{tokens.sign(key, f'invitation {invitation_id}')}"


def id_in(keys: Collection[bytes], written: str) -> int | None:
    """The invitation that a link names; None if it is no link of ours.  `keys`: the present one,
    and the one before."""
    parts = _CODE.fullmatch(written)
    if parts is None or int(parts[1]) > LARGEST:
        return None
    found = int(parts[1])
    return found if any(tokens.same(code(key, found), written) for key in keys) else None


async def create(
    session: Session, account_id: int, *, note: str, uses: int | None, days: int | None, most: int
) -> Invitation:
    """`most`: how many that work somebody may have.  Who may invite is the caller's to know."""
    note = texts.one_line(note)
    if len(note) > LONGEST_NOTE:
        raise Invalid("note", LONG, limit=LONGEST_NOTE)
    if uses is None or not 1 <= uses <= MOST_USES:
        raise Invalid("uses", USES, low=1, high=MOST_USES)
    if days not in DAYS:
        raise Invalid("days", N_("Choose one of the list."))
    invitation_id = await next_id(session, Invitation.id)  # from here on nobody else writes
    if await _working_of(session, account_id) >= most:
        raise Forbidden(ENOUGH if most else NONE, most=most)
    made = Invitation(
        id=invitation_id, account_id=account_id, note=note, most=uses,
        expires_at=now() + timedelta(days=days),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    return made


async def withdraw(session: Session, account_id: int, invitation_id: int) -> Invitation:
    """One of `account_id`'s own; who has come by it stays.  Raises `NotFound`."""
    found = await session.get(Invitation, invitation_id, with_for_update=True)
    if found is None or found.account_id != account_id:
        raise NotFound
    found.withdrawn_at = found.withdrawn_at or now()
    await session.flush()
    return found


async def working(
    session: Session, invitation_id: int, inviters: Collection[str]
) -> Invitation | None:
    """If it still lets somebody in: who made it is here and of a role that may invite."""
    wanted = (
        select(Invitation)
        .join(Account, Account.id == Invitation.account_id)
        .where(Invitation.id == invitation_id, *_WORKS, Invitation.expires_at > now())
        .where(Account.suspended_at.is_(None), Account.role.in_(inviters))
    )
    return await session.scalar(wanted)


async def use(session: Session, invitation: Invitation, account_id: int) -> None:
    """In the transaction that found it `working`: writers take turns, so no other used it up."""
    invitation.used += 1
    session.add(InvitationUse(account_id=account_id, invitation_id=invitation.id))
    await session.flush()


async def inviter(session: Session, invitation: Invitation) -> accounts.PersonCard:
    found = await accounts.card(session, invitation.account_id)
    if found is None:
        raise NotFound
    return found


async def forget_ended(session: Session) -> bool:
    """Those that nobody came by, some time after their end; no more than `FORGOTTEN` at once."""
    old = select(Invitation.id).where(Invitation.used == 0, Invitation.expires_at < now() - KEPT)
    some = list(await session.scalars(old.limit(FORGOTTEN)))
    if some:
        await session.execute(delete(Invitation).where(Invitation.id.in_(some)))
    return bool(some)


async def _working_of(session: Session, account_id: int) -> int:
    mine = select(func.count()).where(
        Invitation.account_id == account_id, *_WORKS, Invitation.expires_at > now()
    )
    return await session.scalar(mine) or 0


_WORKS = (Invitation.withdrawn_at.is_(None), Invitation.used < Invitation.most)
