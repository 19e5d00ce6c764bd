"""What happens when others do things worth telling someone about.

Events are thin and may be read late, so each handler asks how things are now: a post may be gone by
then, a follow taken back.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import aliased

from microblog.accounts.events import AccountMadePrivate, AccountSilenced
from microblog.accounts.model import Account
from microblog.crossposts import queries as crossposts
from microblog.crossposts.events import CrosspostFailed
from microblog.follows import queries as follows
from microblog.follows.events import (
    AccountFollowed,
    AccountUnfollowed,
    FollowAccepted,
    FollowRequested,
    FollowRequestEnded,
)
from microblog.kernel.events import record
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.kernel.readers import Consumer
from microblog.kernel.rows import fetch
from microblog.mail import outbox
from microblog.notifications import recipients, withdrawals
from microblog.notifications.events import NotificationAdded
from microblog.notifications.model import Notification
from microblog.posts import visibility
from microblog.posts.events import PostDeleted, PostEdited, PostPublished, PostTakenDown
from microblog.posts.model import Mention, Post

_Parent = aliased(Post)
# The author, whom they answer, whom they mention: a row for each of these, or one without.
_CONCERNED = (
    select(Post.author_id, _Parent.author_id.label("answered"), Mention.account_id)
    .outerjoin(_Parent, _Parent.id == Post.in_reply_to_id)
    .outerjoin(Mention, Mention.post_id == Post.id)
    .where(Post.id == bindparam("post_id"), Post.deleted_at.is_(None))
)


def make_consumer(hold: float) -> Consumer:
    """`hold`: seconds a mail waits, in case its reader sees the news on screen first."""
    return Consumer(
        "notifications",
        {
            PostPublished: partial(_tell_of_post, hold),
            PostEdited: partial(_tell_of_post, hold),  # whom it mentions only now
            PostDeleted: withdrawals.of_post,
            AccountFollowed: partial(_tell_of_follower, hold),
            AccountUnfollowed: withdrawals.of_follow,
            AccountMadePrivate: withdrawals.from_strangers,
            FollowRequested: partial(_tell_of_request, hold),
            FollowRequestEnded: withdrawals.of_request,
            FollowAccepted: partial(_tell_of_answer, hold),
            CrosspostFailed: _tell_of_crosspost,
            AccountSilenced: partial(_tell_of_moderators, "silence"),
            PostTakenDown: partial(_tell_of_moderators, "takedown"),
        },
    )


async def _tell_of_post(hold: float, session: Session, event: PostPublished | PostEdited) -> None:
    for account_id, kind in (await _concerned(session, event.post_id)).items():
        news = Notification(
            account_id=account_id, kind=kind, about=f"post-{event.post_id}",
            actor_id=event.author_id, post_id=event.post_id,
        )  # fmt: skip
        await _tell(session, news, hold)


async def _tell_of_follower(hold: float, session: Session, event: AccountFollowed) -> None:
    if await follows.follows(session, event.follower_id, event.followed_id):
        news = _of_person(event.followed_id, "follow", event.follower_id)
        await _tell(session, news, hold)


async def _tell_of_request(hold: float, session: Session, event: FollowRequested) -> None:
    if await follows.requested(session, event.follower_id, event.followed_id):
        news = _of_person(event.followed_id, "request", event.follower_id)
        await _tell(session, news, hold)


async def _tell_of_answer(hold: float, session: Session, event: FollowAccepted) -> None:
    await withdrawals.of_request(session, event)
    if await follows.follows(session, event.follower_id, event.followed_id):
        news = _of_person(event.follower_id, "accept", event.followed_id)
        await _tell(session, news, hold)


def _of_person(account_id: int, kind: str, actor_id: int) -> Notification:
    about = f"account-{actor_id}"
    return Notification(account_id=account_id, kind=kind, about=about, actor_id=actor_id)


async def _concerned(session: Session, post_id: int) -> dict[int, str]:
    """Whom a post concerns, and how: answered, else mentioned; never its author."""
    found = await fetch(session, _CONCERNED, {"post_id": post_id})
    kinds = {who: "mention" for *_, who in found if who}
    kinds |= {answered: "reply" for _, answered, _ in found if answered}
    authors = {author for author, *_ in found}
    return {who: kind for who, kind in kinds.items() if who not in authors}


async def _tell(session: Session, news: Notification, hold: float) -> None:
    reader = await session.get(Account, news.account_id)
    if reader is None or reader.suspended_at or await _was_told(session, news):
        return
    if not await _may_reach(session, news):
        return
    await _add(session, news)
    if await recipients.refusal(session, reader, news.kind) is None:
        ids = {"account_id": reader.id, "notification_id": news.id}
        await outbox.enqueue(session, news.kind, ids, hold=hold, bundle=f"account-{reader.id}")


async def _tell_of_crosspost(session: Session, event: CrosspostFailed) -> None:
    """On the page alone: it is no news of anybody.  One that fails again is told again."""
    found = await crossposts.failed(session, event.crosspost_id)
    if found is None:
        return
    stands = await crossposts.stands(session, found.post_id)
    news = Notification(
        account_id=event.account_id, kind="crosspost", about=f"{found.task}-{found.id}",
        actor_id=event.account_id, post_id=found.post_id if stands else None,
    )  # fmt: skip
    earlier = delete(Notification).where(
        Notification.account_id == news.account_id, Notification.about == news.about
    )
    await session.execute(earlier)
    await _add(session, news)


async def _tell_of_moderators(
    kind: str, session: Session, event: AccountSilenced | PostTakenDown
) -> None:
    """On the page, for those whom no mail reaches; it names no moderator."""
    reader = await session.get(Account, event.account_id)
    if reader is not None and reader.suspended_at is None:
        about = f"entry-{event.entry_id}"
        news = Notification(account_id=reader.id, kind=kind, about=about, actor_id=reader.id)
        await _add(session, news)


async def _add(session: Session, news: Notification) -> None:
    """Under an id that nothing ever had: pages and mails still know those that were withdrawn, and
    SQLite would give the last of them again."""
    news.id = await next_id(session, Notification.id)
    session.add(news)
    await session.flush()
    await record(session, NotificationAdded(news.id, news.account_id))


async def _may_reach(session: Session, news: Notification) -> bool:
    """Suspended people reach nobody, silenced ones only who follows them, posts of private ones
    only who may see them."""
    actor = await session.get(Account, news.actor_id)
    if actor is None or actor.suspended_at is not None:
        return False
    if news.post_id is not None and not await visibility.shows(session, actor, news.account_id):
        return False
    if actor.silenced_at is None:
        return True
    return await follows.follows(session, news.account_id, news.actor_id)


async def _was_told(session: Session, news: Notification) -> bool:
    before = select(Notification.id).where(
        Notification.account_id == news.account_id,
        Notification.kind == news.kind,
        Notification.about == news.about,
    )
    return await session.scalar(before) is not None
