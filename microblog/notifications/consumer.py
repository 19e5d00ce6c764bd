"""What happens when others do things worth telling someone about.

Events are thin and may be read late, so each handler asks how things are now: a post may be gone by
then, a follow taken back.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account
from microblog.crossposts import queries as crossposts
from microblog.crossposts.events import CrosspostFailed
from microblog.follows import queries as follows
from microblog.follows.events import AccountFollowed, AccountUnfollowed
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.kernel.readers import Consumer
from microblog.mail import outbox
from microblog.notifications import recipients
from microblog.notifications.events import NotificationAdded, NotificationsChanged
from microblog.notifications.model import Notification, SeenPost
from microblog.posts.events import PostDeleted, PostEdited, PostPublished
from microblog.posts.model import Mention, Post


def make_consumer(hold: float) -> Consumer:
    """`hold`: seconds a mail waits, in case its reader sees the news on screen first."""

    async def tell_of_post(session: Session, event: PostPublished | PostEdited) -> None:
        for account_id, kind in (await _concerned(session, event.post_id)).items():
            news = Notification(
                account_id=account_id, kind=kind, about=f"post-{event.post_id}",
                actor_id=event.author_id, post_id=event.post_id,
            )  # fmt: skip
            await _tell(session, news, hold)

    async def tell_of_follower(session: Session, event: AccountFollowed) -> None:
        if await follows.follows(session, event.follower_id, event.followed_id):
            news = Notification(
                account_id=event.followed_id, kind="follow", about=f"account-{event.follower_id}",
                actor_id=event.follower_id,
            )  # fmt: skip
            await _tell(session, news, hold)

    return Consumer(
        "notifications",
        {
            PostPublished: tell_of_post,
            PostEdited: tell_of_post,  # whom it mentions only now
            PostDeleted: _withdraw_post,
            AccountFollowed: tell_of_follower,
            AccountUnfollowed: _withdraw_follower,
            CrosspostFailed: _tell_of_crosspost,
        },
    )


async def _concerned(session: Session, post_id: int) -> dict[int, str]:
    """Whom a post concerns, and how: answered, else mentioned; never its author."""
    parent = aliased(Post)
    asked = (
        select(Post.author_id, parent.author_id)
        .outerjoin(parent, parent.id == Post.in_reply_to_id)
        .where(Post.id == post_id, Post.deleted_at.is_(None))
    )
    post = (await session.execute(asked)).one_or_none()
    if post is None:
        return {}
    author_id, answered_id = post
    mentioned = await session.scalars(select(Mention.account_id).where(Mention.post_id == post_id))
    kinds = dict.fromkeys(mentioned, "mention") | ({answered_id: "reply"} if answered_id else {})
    return {who: kind for who, kind in kinds.items() if who != author_id}


async def _tell(session: Session, news: Notification, hold: float) -> None:
    reader = await session.get(Account, news.account_id)
    if reader is None or reader.suspended_at or await _was_told(session, news):
        return
    if not await _may_reach(session, news):
        return
    session.add(news)
    await session.flush()
    await record(session, NotificationAdded(news.id, reader.id))
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
    session.add(news)
    await session.flush()
    await record(session, NotificationAdded(news.id, event.account_id))


async def _may_reach(session: Session, news: Notification) -> bool:
    """Suspended people reach nobody, silenced ones only who follows them."""
    actor = await session.get(Account, news.actor_id)
    if actor is None or actor.suspended_at is not None:
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


async def _withdraw_post(session: Session, event: PostDeleted) -> None:
    about_it = delete(Notification).where(Notification.post_id == event.post_id)
    told = sorted(set(await session.scalars(about_it.returning(Notification.account_id))))
    seen = (SeenPost.account_id.in_(told), SeenPost.post_id == event.post_id)
    await session.execute(delete(SeenPost).where(*seen))
    for account_id in told:
        await record(session, NotificationsChanged(account_id))


async def _withdraw_follower(session: Session, event: AccountUnfollowed) -> None:
    if await follows.follows(session, event.follower_id, event.followed_id):
        return
    about_it = delete(Notification).where(
        Notification.account_id == event.followed_id,
        Notification.kind == "follow",
        Notification.about == f"account-{event.follower_id}",
    )
    if (await session.scalars(about_it.returning(Notification.id))).all():
        await record(session, NotificationsChanged(event.followed_id))
