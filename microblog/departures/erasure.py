"""Taking away what somebody leaves behind, some rows at a time so that others write in between.

Every bite looks at what is left, so it does not matter who takes it, how often, or what was cut off
before.  The account's row stays, without anything of the person: ids are not to be given away
again, and what others keep (answers, the log of moderators) goes on pointing at nobody.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Column, Select, Table, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import aliased

from microblog.accounts import addresses
from microblog.accounts.model import Account, KeptName
from microblog.admissions import applications
from microblog.departures.model import Departure, WayBack
from microblog.kernel.clock import now
from microblog.kernel.events import record
from microblog.kernel.model import Base, Session
from microblog.mail.outbox import IS_ACTIVE, Email
from microblog.moderation.model import Appeal, Entry
from microblog.notifications.events import NotificationsChanged
from microblog.notifications.model import Notification
from microblog.posts.model import Post
from microblog.signin.model import EmailUndo, Registration

NAME_KEPT = timedelta(days=365)
BITE = 200

# Every column that names an account or a post, and what becomes of its row.  A test insists that
# none is forgotten.
GOES, STAYS, EMPTIED = "goes", "stays", "emptied"
OF_ACCOUNTS: Mapping[str, str] = {
    "archives.account_id": GOES,
    "brought_posts.account_id": GOES,
    "backlinks.account_id": GOES,
    "crosspost_places.account_id": GOES,  # with the tokens in them
    "crossposts.account_id": GOES,  # what was copied stays where it is
    "departures.account_id": STAYS,  # until everything else is gone
    "email_changes.account_id": GOES,
    "email_undos.account_id": GOES,
    "follows.follower_id": GOES,
    "follows.followed_id": GOES,
    "follow_requests.follower_id": GOES,
    "follow_requests.followed_id": GOES,
    "identities.account_id": GOES,
    "imports.account_id": GOES,
    "invitations.account_id": GOES,  # with the word of who came by them
    "invitation_uses.account_id": GOES,
    "login_sessions.account_id": GOES,
    "mentions.account_id": GOES,
    "moderation_log.account_id": STAYS,  # what was done, to nobody any more
    "moderation_log.actor_id": STAYS,
    "appeals.decided_by_id": STAYS,
    "reports.account_id": GOES,  # with the words that were reported
    "reports.closed_by_id": STAYS,
    "reports.reporter_id": GOES,
    "muted_mail.account_id": GOES,
    "notifications.account_id": GOES,
    "notifications.actor_id": GOES,
    "passkeys.account_id": GOES,
    "password_resets.account_id": GOES,
    "posts.author_id": STAYS,  # emptied by itself, and gone where nobody answered
    "recovery_codes.account_id": GOES,
    "second_factors.account_id": GOES,
    "seen_posts.account_id": GOES,
    "sign_in_notices.account_id": GOES,
    "sign_in_steps.account_id": GOES,
}
OF_POSTS: Mapping[str, str] = {
    "brought_posts.post_id": GOES,
    "crossposts.post_id": GOES,
    "mentions.post_id": GOES,
    "notifications.post_id": GOES,
    "post_revisions.post_id": GOES,
    "post_tags.post_id": GOES,
    "posts.in_reply_to_id": STAYS,  # an answered post keeps its row
    "seen_posts.post_id": GOES,
}
_KEPT_OF_ACCOUNT = {"id", "host", "created_at", "leaving_at", "suspended_at", "name", "name_key"}

Bite: TypeAlias = Callable[[Session, Account], Awaitable[bool]]


async def go_on(session: Session, account_id: int) -> bool:
    """Take away some; whether there is more to take away at once."""
    begun = await session.get(Departure, account_id, with_for_update=True)
    account = await session.get(Account, account_id)
    if begun is None or account is None:
        return False
    if not begun.is_untold:
        return await _untell(session, begun)
    return begun.due_at <= now() and await _erase(session, account, begun)


async def _erase(session: Session, account: Account, begun: Departure) -> bool:
    for bite in _BITES:
        if await bite(session, account):
            return True
    if not await _has_mail(session, account):  # else it is being sent just now
        await _finish(session, account, begun.due_at)
    return False


async def _untell(session: Session, begun: Departure) -> bool:
    """Nobody goes on counting news of somebody who cannot be seen."""
    some = select(Notification.id).where(Notification.actor_id == begun.account_id).limit(BITE)
    gone = delete(Notification).where(Notification.id.in_(list(await session.scalars(some))))
    told = set(await session.scalars(gone.returning(Notification.account_id)))
    for reader_id in sorted(told):
        await record(session, NotificationsChanged(reader_id))
    begun.is_untold = not told
    return True


async def _posts(session: Session, account: Account) -> bool:
    """Words, and all that hangs on them."""
    theirs = select(Post.id).where(Post.author_id == account.id, Post.deleted_at.is_(None))
    ids = list(await session.scalars(theirs.order_by(Post.id).limit(BITE)))
    if not ids:
        return False
    for column, fate in _columns(OF_POSTS):
        if fate == GOES:
            await session.execute(delete(column.table).where(column.in_(ids)))
        elif fate == EMPTIED:
            emptied = update(column.table).where(column.in_(ids))
            await session.execute(emptied.values({column.name: None}))
    if account.private_at is None:  # else they were not counted
        await _count_replies(session, ids)
    words = {"body": "", "request_digest": None, "idempotency_key": None, "edited_at": None}
    emptied = update(Post).where(Post.id.in_(ids)).values(**words, deleted_at=now())
    await session.execute(emptied.execution_options(synchronize_session=False))
    return True


async def _count_replies(session: Session, ids: list[int]) -> None:
    """What they answered has so many answers fewer."""
    answered = select(Post.in_reply_to_id, func.count()).where(
        Post.id.in_(ids), Post.in_reply_to_id.is_not(None)
    )
    for post_id, count in (await session.execute(answered.group_by(Post.in_reply_to_id))).all():
        fewer = update(Post).where(Post.id == post_id, Post.reply_count >= count)
        await session.execute(fewer.values(reply_count=Post.reply_count - count))


async def _unanswered(session: Session, account: Account) -> bool:
    """Rows of posts that no thread hangs on; those they answered among their own come next."""
    answer = aliased(Post)
    is_answered = exists().where(answer.in_reply_to_id == Post.id)
    alone = select(Post.id).where(Post.author_id == account.id, ~is_answered)
    ids = list(await session.scalars(alone.limit(BITE)))
    if ids:
        for column, fate in _columns(OF_POSTS):  # of those they had deleted themselves
            if fate == GOES:
                await session.execute(delete(column.table).where(column.in_(ids)))
        await session.execute(delete(Post).where(Post.id.in_(ids)))
    return bool(ids)


async def _ties(session: Session, account: Account) -> bool:
    """Rows of other tables, one table after the other."""
    for column, fate in _columns(OF_ACCOUNTS):
        key = list(column.table.primary_key.columns)
        theirs: Select[Any] = select(*key).where(column == account.id).limit(BITE)
        found = [tuple(row) for row in await session.execute(theirs)] if fate != STAYS else []
        if not found:
            continue
        rows = tuple_(*key).in_(found)
        if fate == GOES:
            await session.execute(delete(column.table).where(rows))
        else:
            await session.execute(update(column.table).where(rows).values({column.name: None}))
        return True
    return False


async def _mail(session: Session, account: Account) -> bool:
    """To them.  What is being sent just now is locked, and left for the next look."""
    idle = _theirs(account).where(or_(~IS_ACTIVE, Email.state != "leased"))
    ids = list(await session.scalars(idle.with_for_update(skip_locked=True)))
    if ids:
        await session.execute(delete(Email).where(Email.id.in_(ids)))
    asked = delete(Registration).where(Registration.email_key == addresses.key(account.email or ""))
    await session.execute(asked)
    await applications.overtaken(session, account.email)
    return bool(ids)


async def _earlier_mail(session: Session, account: Account) -> bool:
    """What was sent to addresses they had before, while there are rows that tell which."""
    had = select(EmailUndo.email).where(EmailUndo.account_id == account.id)
    sent = ~IS_ACTIVE, Email.bundle.is_(None), Email.recipient.in_(had)
    ids = list(await session.scalars(select(Email.id).where(*sent).limit(BITE)))
    if ids:
        await session.execute(delete(Email).where(Email.id.in_(ids)))
    return bool(ids)


async def _has_mail(session: Session, account: Account) -> bool:
    return await session.scalar(_theirs(account)) is not None


def _theirs(account: Account) -> Select[int]:
    """News is bundled by account; the few other mails are found by their address."""
    by_address = Email.bundle.is_(None) & (Email.recipient == account.email)
    is_theirs = or_(Email.bundle == f"account-{account.id}", by_address)
    return select(Email.id).where(is_theirs).order_by(Email.id).limit(BITE)


async def _finish(session: Session, account: Account, due_at: datetime) -> None:
    """The name is nobody's for a year; the row says nothing of anybody."""
    await _unquote(session, account)
    theirs = update(KeptName).where(KeptName.account_id == account.id)
    await session.execute(theirs.values(account_id=None))  # they lead to nobody any more
    await session.merge(KeptName(name_key=account.name_key, until=due_at + NAME_KEPT))
    account.name, account.name_key = "", f"-{account.id}"  # which is no name that one could choose
    for column in Account.__table__.columns:
        if column.name not in _KEPT_OF_ACCOUNT:
            setattr(account, column.name, None if column.nullable else _value(column.default))
    await session.execute(delete(WayBack).where(WayBack.account_id == account.id))
    await session.execute(delete(Departure).where(Departure.account_id == account.id))


async def _unquote(session: Session, account: Account) -> None:
    """The log goes on saying what moderators did and why, without words of whom it was done to, and
    without what they were called where a moderator's reason says it."""
    about = select(Entry.id).where(Entry.account_id == account.id)
    quoting = update(Entry).where(Entry.account_id == account.id, Entry.act == "delete_post")
    await session.execute(quoting.values(before={}))
    await session.execute(update(Appeal).where(Appeal.entry_id.in_(about)).values(words=""))
    had = select(KeptName.name_key).where(KeptName.account_id == account.id)
    called = _called(account, list(await session.scalars(had)))
    given = Entry.account_id == account.id, Entry.reason != ""
    for entry in list(await session.scalars(select(Entry).where(*given))):
        entry.reason = called.sub("…", entry.reason)


def _called(account: Account, earlier: list[str]) -> re.Pattern[str]:
    """Their address, names and displayed name, as whole words."""
    names = [f"{at}{name}" for at in ("@", "") for name in (account.name, *earlier)]
    known = filter(None, (account.email, *names, account.display_name))
    words = "|".join(map(re.escape, known))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _value(default: Any) -> object:  # noqa: ANN401 - of a column
    return default.arg(None) if default.is_callable else default.arg


def _columns(fates: Mapping[str, str]) -> list[tuple[Column[Any], str]]:
    tables: Mapping[str, Table] = Base.metadata.tables
    found: list[tuple[Column[Any], str]] = []
    for name, fate in fates.items():
        table, _, column = name.partition(".")
        if table in tables:
            found.append((tables[table].columns[column], fate))
    return found


_BITES: tuple[Bite, ...] = (_posts, _unanswered, _earlier_mail, _ties, _mail)
