"""Linking and unlinking, and the account that begins with an identity."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from microblog.accounts import actions as accounts
from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.identities.model import Identity, SpentState
from microblog.identities.queries import identities_of, identity
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Forbidden, NotFound
from microblog.kernel.model import Session
from microblog.kernel.order import take_turn
from microblog.mail import outbox
from microblog.oauth.vouched import Vouched

FORGOTTEN = 500
SOMEBODY_ELSES = N_("That is linked to another account of this site already.")
KNOWN = N_("You have an account here already. Sign in.")
KNOWN_EMAIL = N_(
    "An account here has your address. Sign in to it first, then link this way of signing in, in"
    " its settings."
)
LAST = N_("This is your only way in. Add another one first.")


async def spend(session: Session, state: str, expires_at: datetime) -> None:
    """A journey has come back; raises `Conflict` if it had before."""
    try:
        async with session.begin_nested():
            session.add(SpentState(state_hash=tokens.digest(state), expires_at=expires_at))
    except IntegrityError as error:
        raise Conflict("", N_("This answer has been used.")) from error


async def refuse_known_email(session: Session, who: Vouched) -> None:
    """An address proves nothing about an account here: its owner signs in and links it."""
    if who.email and await people.is_known_email(session, who.email):
        raise Conflict("", KNOWN_EMAIL)


async def begin_account(
    session: Session,
    who: Vouched,
    *,
    name: str,
    display_name: str = "",
    language: str | None = None,
    time_zone: str | None = None,
) -> Account:
    """The first sign-in.  The address counts as confirmed, for the provider said so."""
    if await identity(session, who) is not None:
        raise Conflict("", KNOWN)
    await refuse_known_email(session, who)
    account = await accounts.create(
        session, name=name, email=who.email, password_hash=None,
        language=language, time_zone=time_zone,
    )  # fmt: skip
    if display_name:
        await accounts.edit_profile(session, account.id, display_name=display_name)
    await _add(session, account.id, who)
    return account


async def note_use(session: Session, found: Identity, who: Vouched) -> None:
    found.last_used_at = now()
    found.shown = _shown(who)
    found.email = who.email
    found.display_name, found.picture = who.display_name, who.picture
    await session.flush()


async def link(session: Session, account_id: int, who: Vouched, provider: str) -> None:
    """Doing it twice is doing it once.  Raises `Conflict` if it is somebody else's."""
    await take_turn(session)
    found = await identity(session, who)
    if found is None:
        await _add(session, account_id, who)
        await _tell(session, "identity_linked", account_id, provider, _shown(who))
    elif found.account_id != account_id:
        raise Conflict("", SOMEBODY_ELSES)
    else:
        await note_use(session, found, who)


async def unlink(
    session: Session,
    account_id: int,
    identity_id: int,
    provider: str,
    *,
    usable: Collection[str],
    otherwise: bool,
) -> None:
    """`usable` are the issuers that this site signs in through, `otherwise` whether there is a way
    in without any.  Raises `NotFound`, or `Forbidden` for the last way in."""
    await take_turn(session)  # two at once must not each leave the other as the last
    mine = await identities_of(session, account_id)
    gone = next((each for each in mine if each.id == identity_id), None)
    if gone is None:
        raise NotFound
    if not (otherwise or any(each.issuer in usable for each in mine if each is not gone)):
        raise Forbidden(LAST)
    await session.execute(delete(Identity).where(Identity.id == gone.id))
    await _tell(session, "identity_unlinked", account_id, provider, gone.shown)


async def forget_since(session: Session, account_id: int, since: datetime) -> None:
    """Somebody else got in at `since`: what was linked from then on opens the account no more."""
    theirs = delete(Identity).where(Identity.account_id == account_id)
    await session.execute(theirs.where(Identity.linked_at >= since))


async def forget_spent(session: Session) -> bool:
    """No more than `FORGOTTEN` at once: whether there may be more."""
    old = select(SpentState.state_hash).where(SpentState.expires_at <= now())
    some = list(await session.scalars(old.limit(FORGOTTEN)))
    if some:
        await session.execute(delete(SpentState).where(SpentState.state_hash.in_(some)))
    return bool(some)


async def _add(session: Session, account_id: int, who: Vouched) -> None:
    added = Identity(
        account_id=account_id, issuer=who.issuer, subject=who.subject, shown=_shown(who),
        email=who.email, display_name=who.display_name, picture=who.picture,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(added)
    except IntegrityError as error:
        raise Conflict("", KNOWN) from error


def _shown(who: Vouched) -> str:
    return who.name or who.display_name or who.email or ""


async def _tell(session: Session, kind: str, account_id: int, provider: str, shown: str) -> None:
    """By mail.  What goes is gone when the mail is written, so its name is in the payload."""
    told = {"account_id": account_id, "provider": provider, "shown": shown, "at": now().isoformat()}
    await outbox.enqueue(session, kind, told)
