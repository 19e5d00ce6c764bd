"""What the person concerned says against an act: once, by the link in the mail about it.

Suspended people cannot sign in, so the link carries a signature and no secret is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from microblog.accounts.model import Account
from microblog.kernel import text as texts
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Forbidden, Invalid, NotFound
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.moderation import actions
from microblog.moderation.events import AppealDecided, AppealFiled
from microblog.moderation.model import Appeal, Entry
from microblog.moderation.permissions import may
from microblog.moderation.queries import AppealView, staff

APPEALABLE = frozenset({"suspend", "silence", "delete_post"})
LONGEST = 2000

SAY = N_("Say why this should be looked at again.")
LONG = N_("That is too long: an appeal may have %(limit)s characters.")
ONCE = N_("You have appealed already. You will hear by mail.")
ANOTHER = N_("You did this yourself: somebody else decides about the appeal.")
DECIDED = N_("Somebody has decided this already.")

_TOKEN = re.compile(r"([1-9][0-9]{0,18})-([0-9a-f]{40})")


def token(key: bytes, entry_id: int) -> str:
    return f"{entry_id}-{tokens.sign(key, f'appeal {entry_id}')}"


async def entry_of(session: Session, keys: list[bytes], written: str) -> Entry:
    """The act that a link is about; raises NotFound.  `keys`: the present, and the one before."""
    parts = _TOKEN.fullmatch(written)
    if parts is None or int(parts[1]) >= 2**63:
        raise NotFound
    if not any(tokens.same(token(key, int(parts[1])), written) for key in keys):
        raise NotFound
    entry = await session.get(Entry, int(parts[1]))
    if entry is None or entry.act not in APPEALABLE:
        raise NotFound
    return entry


async def suspension_of(session: Session, account_id: int) -> int | None:
    """The act that keeps them out, if one does."""
    account = await session.get(Account, account_id)
    if account is None or not actions.is_suspended(account):
        return None
    acts = select(Entry.id).where(Entry.account_id == account_id, Entry.act == "suspend")
    return await session.scalar(acts.order_by(Entry.id.desc()).limit(1))


async def file(session: Session, entry: Entry, words: str) -> None:
    words = texts.tidy(words)
    if texts.is_blank(words):
        raise Invalid("words", SAY)
    if len(words) > LONGEST:
        raise Invalid("words", LONG, limit=LONGEST)
    try:
        async with session.begin_nested():
            session.add(Appeal(entry_id=entry.id, words=words))
    except IntegrityError as error:
        raise Conflict("", ONCE) from error
    await record(session, AppealFiled(entry.id))


async def decide(session: Session, actor_id: int, entry_id: int, *, granted: bool) -> None:
    """To grant is to undo: a suspension is lifted, a silence ends.  What was deleted stays so.

    Whoever acted does not decide, as long as there is somebody else who could.
    """
    appeal = await session.get(Appeal, entry_id, with_for_update=True)
    entry = await session.get(Entry, entry_id)
    if appeal is None or entry is None or entry.account_id is None:
        raise NotFound
    if appeal.decided_at is not None:
        raise Conflict("", DECIDED)
    target = (await actions.involved(session, actor_id, "decide_appeal", entry.account_id)).target
    if entry.actor_id == actor_id and await _others(session, actor_id, target):
        raise Forbidden(ANOTHER)
    appeal.decided_at, appeal.decided_by_id, appeal.granted = now(), actor_id, granted
    await actions.note(
        session, "decide_appeal", actor_id, target, before={"entry": entry_id},
        reason="", post_id=entry.post_id,
    )  # fmt: skip
    if granted:
        await _undo(session, entry, target)
    await record(session, AppealDecided(entry_id))
    await outbox.enqueue(session, "appeal_decided", {"entry_id": entry_id})


async def decidable(
    session: Session, actor_id: int, role: str, found: Iterable[AppealView]
) -> set[int]:
    """Entries, of these appeals, that this moderator may decide about."""
    wanted = [one for one in found if one.entry.account_id not in (None, actor_id)]
    them = select(Account).where(Account.id.in_([one.entry.account_id for one in wanted]))
    targets = {account.id: account for account in await session.scalars(them)}
    may_decide = set()
    for one in wanted:
        target = targets[one.entry.account_id or 0]
        mine = one.actor_id == actor_id and await _others(session, actor_id, target)
        if may("decide_appeal", role, target.role) and not mine:
            may_decide.add(one.entry.id)
    return may_decide


async def appeal_of(session: Session, entry_id: int) -> Appeal | None:
    return await session.get(Appeal, entry_id)


async def filed(session: Session, entry_ids: Iterable[int]) -> set[int]:
    """Those of the acts against which something was said."""
    found = select(Appeal.entry_id).where(Appeal.entry_id.in_(list(entry_ids)))
    return set(await session.scalars(found))


async def _others(session: Session, actor_id: int, target: Account) -> bool:
    """Whether somebody else of the staff could decide."""
    return any(
        one.id not in (actor_id, target.id) and may("decide_appeal", one.role, target.role)
        for one in await staff(session)
    )


async def _undo(session: Session, entry: Entry, target: Account) -> None:
    """The mail about the appeal tells of it; the log says it by itself.  A newer act of the same
    kind has its own reason, and its own appeal."""
    newer = select(Entry.id).where(
        Entry.account_id == target.id, Entry.act == entry.act, Entry.id > entry.id
    )
    if await session.scalar(newer.limit(1)) is not None:
        return
    before = actions.standing(target)
    if entry.act == "suspend" and actions.is_suspended(target):
        actions.unsuspend(target)
        undone = "lift"
    elif entry.act == "silence" and target.silenced_at is not None:
        target.silenced_at = None
        undone = "unsilence"
    else:
        return
    await actions.note(session, undone, None, target, before=before)
