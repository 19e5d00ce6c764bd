"""News that does not stand any more, or is not for who was told."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, select

from microblog.accounts.events import AccountMadePrivate
from microblog.follows import queries as follows
from microblog.follows.events import AccountUnfollowed, FollowAccepted, FollowRequestEnded
from microblog.follows.model import Follow
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.notifications.events import NotificationsChanged
from microblog.notifications.model import Notification, SeenPost
from microblog.posts import visibility
from microblog.posts.events import PostDeleted

BITE = 200


async def of_post(session: Session, event: PostDeleted) -> None:
    told = await _take(session, Notification.post_id == event.post_id)
    seen = (SeenPost.account_id.in_(told), SeenPost.post_id == event.post_id)
    await session.execute(delete(SeenPost).where(*seen))
    await _count_again(session, told)


async def of_follow(session: Session, event: AccountUnfollowed) -> None:
    """And what a private person wrote is no news for who does not follow them any more."""
    follower, followed = event.follower_id, event.followed_id
    if await follows.follows(session, follower, followed):
        return
    told = await _take(session, *_of_person(followed, "follow", follower))
    told += await _take(session, *_of_person(follower, "accept", followed))
    if await visibility.is_private(session, followed):
        posts = (Notification.actor_id == followed, Notification.post_id.is_not(None))
        told += await _take(session, Notification.account_id == follower, *posts)
    await _count_again(session, told)


async def of_request(session: Session, event: FollowRequestEnded | FollowAccepted) -> None:
    if not await follows.requested(session, event.follower_id, event.followed_id):
        asked = _of_person(event.followed_id, "request", event.follower_id)
        await _count_again(session, await _take(session, *asked))


async def from_strangers(session: Session, event: AccountMadePrivate) -> None:
    """Some at a time: what is left comes with the next event."""
    if not await visibility.is_private(session, event.account_id):
        return
    theirs = select(Follow.follower_id).where(Follow.followed_id == event.account_id)
    strangers = select(Notification.id).where(
        Notification.actor_id == event.account_id,
        Notification.post_id.is_not(None),
        Notification.account_id != event.account_id,
        Notification.account_id.not_in(theirs),
    )
    some = list(await session.scalars(strangers.limit(BITE)))
    await _count_again(session, await _take(session, Notification.id.in_(some)))
    if len(some) == BITE:
        await record(session, AccountMadePrivate(event.account_id))


def _of_person(account_id: int, kind: str, actor_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Notification.account_id == account_id,
        Notification.kind == kind,
        Notification.about == f"account-{actor_id}",
    )


async def _take(session: Session, *which: ColumnElement[bool]) -> list[int]:
    """Whom they had told."""
    gone = delete(Notification).where(*which)
    return list(await session.scalars(gone.returning(Notification.account_id)))


async def _count_again(session: Session, told: Iterable[int]) -> None:
    for account_id in sorted(set(told)):
        await record(session, NotificationsChanged(account_id))
