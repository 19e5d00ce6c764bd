"""Creating an account: at once, or, where addresses are confirmed, by a mailed link.  Where
moderators decide, it becomes an application instead.

With confirmation, a known and a new address do the same work and get the same answer; what differs
is written in the mail.  Nobody but its owner learns that an address has an account (SECURITY 17).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from microblog.accounts import actions as accounts
from microblog.accounts import addresses, bans, names
from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.admissions import applications, invitations
from microblog.admissions.applications import Asking
from microblog.admissions.door import Admission, Door, admission
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import Conflict, NotFound
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.signin import email_changes
from microblog.signin.applicants import Applicant
from microblog.signin.model import Registration
from microblog.signin.queries import registration

LIFE = timedelta(hours=24)


async def refuse_taken(session: Session, applicant: Applicant, *, also_email: bool) -> None:
    """Raise what `create` would, before the costly hash; an e-mail only where it may be told."""
    await bans.refuse(session, name=applicant.name, email=applicant.email)
    if names.key(applicant.name) in await people.taken_names(session, [applicant.name]):
        raise await accounts.taken_name(session, applicant.name)
    if also_email and await _is_taken(session, applicant.email):
        raise accounts.known_email()


async def _is_taken(session: Session, email: str) -> bool:
    """Somebody has it, or had it until a change that they can still take back."""
    known = await people.is_known_email(session, email)
    return known or await email_changes.is_reserved(session, email)


async def create(
    session: Session, applicant: Applicant, password_hash: str, door: Door
) -> Account | None:
    """The account at once, where addresses are not confirmed; None when they have applied for it.

    Raises `Forbidden` where nobody comes in like that.
    """
    admitted = await admission(session, door, applicant.invitation_id)
    if await email_changes.is_reserved(session, applicant.email):
        raise accounts.known_email()
    who = _asking(applicant, password_hash)
    if admitted.applies:
        if await people.is_known_email(session, applicant.email):
            raise accounts.known_email()
        await applications.file(session, who, proven=False)
        return None
    return await _begin(session, who, admitted)


async def ask_to_confirm(session: Session, applicant: Applicant, password_hash: str) -> None:
    """Keep what was asked for until its address is confirmed, and mail about it.

    An earlier registration of the same address ends: only the newest link works.
    """
    email_key = addresses.key(applicant.email)
    await session.execute(delete(Registration).where(Registration.email_key == email_key))
    asked = Registration(
        id=await next_id(session, Registration.id),
        name=applicant.name,
        name_key=names.key(applicant.name),
        email=applicant.email,
        email_key=email_key,
        password_hash=password_hash,
        language=applicant.language,
        time_zone=applicant.time_zone,
        reason=applicant.reason,
        invitation_id=applicant.invitation_id,
        expires_at=now() + LIFE,
    )
    session.add(asked)
    await session.flush()
    payload = {"registration_id": asked.id}
    await outbox.enqueue(session, "registration", payload, give_up=LIFE)


async def issue_link(session: Session, asked: Registration) -> str:
    """The token of the link, for the mail that is being written; one before it stops working."""
    token = tokens.new_token()
    asked.token_hash = tokens.digest(token)
    await session.flush()
    return token


async def confirm(
    session: Session, token: str, door: Door, *, other_name: str = "", new_hash: str | None = None
) -> Account | None:
    """The address is theirs: the account begins, with the password of `new_hash` if there is one;
    None when they have applied for it.  What counts is how the site stands now.

    Raises NotFound for a link that does not work any more, Forbidden where nobody comes in like
    that, and Conflict("username") when somebody took the name since; they may then choose
    `other_name`.
    """
    asked = await registration(session, token)
    if asked is None:
        raise NotFound
    admitted = await admission(session, door, asked.invitation_id)
    who = _asking(asked, new_hash or asked.password_hash, name=other_name or asked.name)
    account = await _confirmed(session, who, admitted)
    await session.execute(delete(Registration).where(Registration.email_key == asked.email_key))
    return account


async def forget(session: Session, email: str) -> None:
    """The address has shown who its owner is in another way.  What somebody registered for it, with
    a password of theirs, must not come to life (SECURITY 24)."""
    prepared = Registration.email_key == addresses.key(email)
    await session.execute(delete(Registration).where(prepared))


async def _confirmed(session: Session, who: Asking, admitted: Admission) -> Account | None:
    if admitted.applies and await people.is_known_email(session, who.email or ""):
        raise NotFound  # whoever has it was told by mail
    if admitted.applies:
        await applications.file(session, who, proven=True)
        return None
    try:
        return await _begin(session, who, admitted)
    except Conflict as error:
        if error.field == "email":
            raise NotFound from error
        raise


async def _begin(session: Session, who: Asking, admitted: Admission) -> Account:
    account = await accounts.create(
        session,
        name=who.name,
        email=who.email,
        password_hash=who.password_hash,
        language=who.language,
        time_zone=who.time_zone,
    )
    await welcome(session, account, admitted)
    return account


async def welcome(session: Session, account: Account, admitted: Admission) -> None:
    """An account has begun: its invitation is used, and nothing else waits for it."""
    if admitted.invitation is not None:
        await invitations.use(session, admitted.invitation, account.id)
    await applications.overtaken(session, account.email)


def _asking(who: Applicant | Registration, password_hash: str, *, name: str = "") -> Asking:
    return Asking(
        name or who.name, who.reason, email=who.email, password_hash=password_hash,
        language=who.language, time_zone=who.time_zone,
    )  # fmt: skip
