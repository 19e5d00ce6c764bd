"""Asking to be let in, where a moderator decides."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from microblog.accounts import actions as accounts
from microblog.accounts import addresses, bans, names
from microblog.accounts import queries as people
from microblog.accounts.names import check_name
from microblog.accounts.profiles import check_display_name
from microblog.admissions.events import ApplicationDecided, ApplicationFiled
from microblog.admissions.model import Application
from microblog.kernel import text as texts
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Forbidden, Invalid, NotFound
from microblog.kernel.events import record
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.mail import outbox

LONGEST = 1000
MOST = 1000  # that wait
LIFE = timedelta(days=60)
MAILED = outbox.GIVE_UP + timedelta(days=1)  # after which what is declined goes, mailed or not
LAPSING = 100

SAY = N_("Say in a few words why you would like to be here.")
LONG = N_("That is too long: at most %(limit)s characters.")
FULL = N_("Very many people wait for an answer just now. Try again in a few days.")
THERE = N_("Somebody has asked with this address already. The answer comes by mail.")
DECIDED = N_("Somebody has decided this already.")

WAITS = Application.declined_at.is_(None)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks: with a password, or as the `subject` of a provider."""

    name: str
    reason: str
    email: str | None = None
    password_hash: str | None = None
    display_name: str = ""
    issuer: str | None = None
    subject: str | None = None
    shown: str = ""
    language: str | None = None
    time_zone: str | None = None


def check_reason(written: str) -> str:
    reason = texts.tidy(written)
    if texts.is_blank(reason):
        raise Invalid("reason", SAY)
    if len(reason) > LONGEST:
        raise Invalid("reason", LONG, limit=LONGEST)
    return reason


async def file(session: Session, who: Asking, *, proven: bool) -> Application:
    """`proven`: the address is theirs, so that what was asked with it before is replaced.

    Raises what `accounts.create` would of the name; `Conflict("email")` where it is not theirs and
    somebody waits with it; `Forbidden` when too many wait.
    """
    who = await _checked(session, who)
    key = addresses.key(who.email) if who.email else None
    if not proven and key is not None and await _waits(session, key):
        raise Conflict("email", THERE)
    await _replace(session, key, who)
    waiting = select(func.count()).select_from(Application).where(WAITS)
    if (await session.scalar(waiting) or 0) >= MOST:
        raise Forbidden(FULL)
    asked = Application(id=await next_id(session, Application.id), email_key=key, **asdict(who))
    session.add(asked)
    await session.flush()
    await record(session, ApplicationFiled(asked.id))
    return asked


async def waiting(session: Session, application_id: int) -> Application:
    """Locked; raises `NotFound`, also when it is decided."""
    found = await session.get(Application, application_id, with_for_update=True)
    if found is None or found.declined_at is not None:
        raise NotFound(DECIDED)
    return found


async def is_waiting(session: Session, issuer: str, subject: str) -> bool:
    """Whether that person of a provider has asked and not been answered."""
    theirs = select(Application.id).where(
        Application.issuer == issuer, Application.subject == subject
    )
    return await session.scalar(theirs) is not None


async def approved(session: Session, asked: Application, account_id: int) -> None:
    """It has become that account, and they are told."""
    told = {"account_id": account_id, "asked": asked.name}
    await _gone(session, asked.id)
    await outbox.enqueue(session, "application_approved", told)


async def decline(session: Session, asked: Application, answer: str) -> None:
    """All that they told goes at once, but the address, until the answer has been mailed."""
    if asked.email is None:
        await _gone(session, asked.id)
        return
    nothing = {"email_key": None, "password_hash": None, "issuer": None, "subject": None}
    values = {"name": "", "display_name": "", "shown": "", "reason": "", "time_zone": None}
    mine = update(Application).where(Application.id == asked.id)
    await session.execute(mine.values(**nothing, **values, declined_at=now(), answer=answer))
    await record(session, ApplicationDecided(asked.id))
    await outbox.enqueue(session, "application_declined", {"application_id": asked.id})


async def overtaken(session: Session, email: str | None) -> None:
    """Its owner has an account now."""
    if email:
        await _forget(session, Application.email_key == addresses.key(email))


async def overtaken_at(session: Session, issuer: str, subject: str) -> None:
    """That person of a provider has."""
    await _forget(session, Application.issuer == issuer, Application.subject == subject)


async def lapse(session: Session) -> bool:
    """Decline what nobody answered in `LIFE`, and forget what could not be mailed; some at once:
    whether there may be more."""
    unmailed = Application.declined_at < now() - MAILED
    await session.execute(delete(Application).where(unmailed))
    old = select(Application).where(WAITS, Application.created_at < now() - LIFE)
    found = list(await session.scalars(old.order_by(Application.id).limit(LAPSING)))
    for asked in found:
        await decline(session, asked, "")
    return bool(found)


async def _checked(session: Session, who: Asking) -> Asking:
    """Nothing keeps the name for them: if it is taken when they are approved, they get another."""
    name = check_name(who.name)
    await bans.refuse(session, name=name, email=who.email)
    if names.key(name) in await people.taken_names(session, [name]):
        raise await accounts.taken_name(session, name)
    return replace(who, name=name, display_name=check_display_name(who.display_name))


async def _waits(session: Session, email_key: str) -> bool:
    same = select(Application.id).where(Application.email_key == email_key)
    return await session.scalar(same) is not None


async def _replace(session: Session, email_key: str | None, who: Asking) -> None:
    """What the same person asked before."""
    same = [Application.email_key == email_key] if email_key else []
    if who.issuer:
        same.append(and_(Application.issuer == who.issuer, Application.subject == who.subject))
    if same:
        await session.execute(delete(Application).where(or_(*same)))


async def _forget(session: Session, *which: ColumnElement[bool]) -> None:
    for application_id in list(await session.scalars(select(Application.id).where(*which))):
        await _gone(session, application_id)


async def _gone(session: Session, application_id: int) -> None:
    await session.execute(delete(Application).where(Application.id == application_id))
    await record(session, ApplicationDecided(application_id))
