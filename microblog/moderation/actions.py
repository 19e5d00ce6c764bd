"""What moderators do to people and posts.  Each act is an entry of the log, and a mail that gives
the reason; both in the caller's transaction.

Rows of both people are locked: of two administrators who demote one another, one is too late.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from microblog.accounts.events import AccountHidden, AccountSilenced
from microblog.accounts.model import Account
from microblog.kernel import text as texts
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Forbidden, Invalid, NotFound
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.moderation.model import Entry
from microblog.moderation.permissions import ROLES, may, may_alone
from microblog.posts import actions as posts
from microblog.posts.events import PostTakenDown
from microblog.posts.model import Post
from microblog.posts.queries import GONE
from microblog.signin import actions as signin
from microblog.signin import two_factor

LONGEST_REASON = 1000
DAYS = (1, 3, 7, 30, 90, 365)  # a suspension may last; or until somebody lifts it
LIFTED = 100

NOT_YOURS = N_("Your role does not allow this for this person.")
NOT_YOURS_AT_ALL = N_("Your role does not allow this.")
NOT_YOURSELF = N_("Nobody can do this to themselves.")
WHY = N_("Say why: the person is told, and it stands in the log.")
LONG = N_("That is too long: a reason may have %(limit)s characters.")

# Members read these in the public part of the log; the others concern the person alone.
_PUBLIC = frozenset({"suspend", "lift", "silence", "unsilence", "delete_post", "set_role"})


class Involved(NamedTuple):
    actor: Account
    target: Account


async def suspend(
    session: Session, actor_id: int, account_id: int, *, reason: str, days: int | None = None
) -> None:
    """They are signed out everywhere and their posts leave every page, for `days` or until it is
    lifted."""
    reason = checked_reason(reason)
    if days is not None and days not in DAYS:
        raise Invalid("days", N_("Choose one of the list."))
    target = (await involved(session, actor_id, "suspend", account_id)).target
    before = standing(target)
    if not is_suspended(target):
        target.suspended_at = now()  # the moment of leaving would not outlast coming back
    target.suspended_until = now() + timedelta(days=days) if days else None
    await signin.end_all(session, account_id)
    await record(session, AccountHidden(account_id))
    entry = await note(session, "suspend", actor_id, target, before=before, reason=reason)
    await tell(session, entry)


async def lift(session: Session, actor_id: int, account_id: int, *, reason: str = "") -> None:
    """Lifting what is not suspended changes nothing."""
    target = (await involved(session, actor_id, "lift", account_id)).target
    if is_suspended(target):
        await _restore(session, actor_id, target, checked_reason(reason, needed=False))


async def lift_ended(session: Session) -> bool:
    """Lift suspensions whose time has come, some at once: whether there may be more."""
    ended = select(Account).where(Account.suspended_until <= now()).with_for_update()
    found = list(await session.scalars(ended.order_by(Account.suspended_until).limit(LIFTED)))
    for target in found:
        await _restore(session, None, target, "")
    return bool(found)


async def silence(session: Session, actor_id: int, account_id: int, *, reason: str) -> None:
    """Only who follows them is led to their posts and told of them."""
    reason = checked_reason(reason)
    target = (await involved(session, actor_id, "silence", account_id)).target
    before = standing(target)
    target.silenced_at = target.silenced_at or now()
    entry = await note(session, "silence", actor_id, target, before=before, reason=reason)
    await record(session, AccountSilenced(account_id, entry.id))
    await tell(session, entry)


async def unsilence(session: Session, actor_id: int, account_id: int, *, reason: str = "") -> None:
    reason = checked_reason(reason, needed=False)
    target = (await involved(session, actor_id, "unsilence", account_id)).target
    if target.silenced_at is not None:
        before = standing(target)
        target.silenced_at = None
        entry = await note(session, "unsilence", actor_id, target, before=before, reason=reason)
        await tell(session, entry)


async def end_sessions(session: Session, actor_id: int, account_id: int) -> None:
    """Sign them out everywhere, say because somebody else got in."""
    target = (await involved(session, actor_id, "end_sessions", account_id)).target
    await signin.end_all(session, account_id)
    await tell(session, await note(session, "end_sessions", actor_id, target, before={}))


async def reset_two_factor(session: Session, actor_id: int, account_id: int) -> None:
    """For somebody who lost every second factor and has shown otherwise who they are."""
    target = (await involved(session, actor_id, "reset_two_factor", account_id)).target
    await two_factor.reset(session, account_id)
    await signin.end_all(session, account_id)
    await tell(session, await note(session, "reset_two_factor", actor_id, target, before={}))


async def set_role(session: Session, actor_id: int, account_id: int, *, role: str) -> None:
    """Their sessions end: what was opened with other rights does not go on with these."""
    if role not in ROLES:
        raise Invalid("role", N_("Choose one of the list."))
    target = (await involved(session, actor_id, "set_role", account_id)).target
    if target.role != role:
        before = standing(target)
        target.role = role
        await signin.end_all(session, account_id)
        await tell(session, await note(session, "set_role", actor_id, target, before=before))


async def delete_post(session: Session, actor_id: int, post_id: int, *, reason: str) -> None:
    """Raises NotFound for a post that is gone already."""
    reason = checked_reason(reason)
    post = await session.get(Post, post_id)
    if post is None or post.deleted_at is not None:
        raise NotFound(GONE)
    author = (await involved(session, actor_id, "delete_post", post.author_id)).target
    said = {"body": post.body}
    await posts.delete(session, author.id, post_id)
    entry = await note(
        session, "delete_post", actor_id, author, before=said, reason=reason, post_id=post_id
    )
    await record(session, PostTakenDown(author.id, entry.id))
    await tell(session, entry)


async def involved(session: Session, actor_id: int, act: str, account_id: int) -> Involved:
    """Both people, locked, as they are now; raises NotFound or Forbidden."""
    if actor_id == account_id:
        raise Forbidden(NOT_YOURSELF)
    both = select(Account).where(Account.id.in_((actor_id, account_id)), Account.host == "")
    rows = await session.scalars(both.order_by(Account.id).with_for_update())
    found = {account.id: account for account in rows}
    actor, target = found.get(actor_id), found.get(account_id)
    if actor is None or target is None:
        raise NotFound
    if actor.suspended_at is not None or not may(act, actor.role, target.role):
        raise Forbidden(NOT_YOURS)
    return Involved(actor, target)


async def acting(session: Session, actor_id: int, act: str) -> Account:
    """Who does something that is done to nobody, locked, as they are now; raises Forbidden."""
    mine = select(Account).where(Account.id == actor_id, Account.host == "").with_for_update()
    actor = await session.scalar(mine)
    if actor is None or actor.suspended_at is not None or not may_alone(act, actor.role):
        raise Forbidden(NOT_YOURS_AT_ALL)
    return actor


async def note(
    session: Session,
    act: str,
    actor_id: int | None,
    target: Account,
    *,
    before: dict[str, Any],
    reason: str = "",
    post_id: int | None = None,
) -> Entry:
    """The entry of the log."""
    after = standing(target) if before.keys() == standing(target).keys() else {}
    entry = Entry(
        actor_id=actor_id, act=act, account_id=target.id, post_id=post_id, reason=reason,
        before=before, after=after, is_public=act in _PUBLIC,
    )  # fmt: skip
    session.add(entry)
    await session.flush()
    return entry


async def tell(session: Session, entry: Entry) -> None:
    """Mail what was done to the person, and why."""
    await outbox.enqueue(session, "moderated", {"entry_id": entry.id})


def is_suspended(account: Account) -> bool:
    """By a moderator: who is leaving is hidden in the same way, from the moment they said so."""
    return account.suspended_at not in (None, account.leaving_at)


def unsuspend(account: Account) -> None:
    account.suspended_at, account.suspended_until = account.leaving_at, None


def standing(account: Account) -> dict[str, Any]:
    """How it stands with somebody, as the log keeps it."""
    return {
        "role": account.role,
        "suspended_at": _written(account.suspended_at),
        "suspended_until": _written(account.suspended_until),
        "silenced_at": _written(account.silenced_at),
    }


def checked_reason(reason: str, *, needed: bool = True) -> str:
    reason = texts.tidy(reason)
    if needed and texts.is_blank(reason):
        raise Invalid("reason", WHY)
    if len(reason) > LONGEST_REASON:
        raise Invalid("reason", LONG, limit=LONGEST_REASON)
    return reason


async def _restore(session: Session, actor_id: int | None, target: Account, reason: str) -> None:
    before = standing(target)
    unsuspend(target)
    entry = await note(session, "lift", actor_id, target, before=before, reason=reason)
    await tell(session, entry)


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
