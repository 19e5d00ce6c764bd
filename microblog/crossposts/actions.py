"""What authors do about copies of their posts."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from sqlalchemy import select

from microblog.accounts.model import Account
from microblog.crossposts import queue, texts
from microblog.crossposts.events import CrosspostsChanged
from microblog.crossposts.model import DELETE, POST, Crosspost, Place
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.events import record
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.posts.model import Mention, Post

_STUCK = ("failed", "unknown")


async def share(session: Session, post: Post, wanted: Collection[int], base_url: str) -> None:
    """Copy a new post to those of its author's places, and remember which were switched on.

    Replies stay here, and what is for followers alone.  Repeating it, as a repeated form does,
    copies nothing twice.
    """
    author = await session.get_one(Account, post.author_id)
    if post.in_reply_to_id or post.deleted_at or author.private_at:
        return
    mine = select(Place).where(Place.account_id == post.author_id, Place.is_chosen)
    known = select(Crosspost.kind, Crosspost.external_id).where(Crosspost.post_id == post.id)
    there = {tuple(row) for row in await session.execute(known)}
    for place in (await session.scalars(mine.order_by(Place.id))).all():
        place.is_on = place.id in wanted
        if place.is_on and (place.kind, place.external_id) not in there:
            await _add(session, post, author, place, base_url)


async def withdraw(session: Session, post_id: int, *, everywhere: bool) -> None:
    """Its post is deleted.  What waits is not sent any more; what is there goes, if wanted."""
    for found in await _of(session, post_id):
        if found.task == DELETE:
            continue
        if everywhere and found.state == "done":
            queue.plan(found, DELETE)
        elif found.state == "leased":
            found.is_unwanted = everywhere
        elif found.state != "done" and not (everywhere and found.state == "unknown"):
            await session.delete(found)
    await session.flush()


async def retry(session: Session, account_id: int, crosspost_id: int) -> Crosspost:
    """Of one that waits already, or has arrived meanwhile, nothing changes: an impatient second
    click is no error."""
    found = await _own(session, account_id, crosspost_id)
    if found.state in _STUCK:
        queue.plan(found, found.task)
        await _tell(session, found)
    return found


async def dismiss(session: Session, account_id: int, crosspost_id: int) -> Crosspost:
    found = await _own(session, account_id, crosspost_id)
    if found.state in _STUCK:
        await session.delete(found)
        await _tell(session, found)
    return found


async def _add(session: Session, post: Post, author: Account, place: Place, base_url: str) -> None:
    link = f"{base_url}/@{author.name}/{post.id}"
    body = texts.for_place(place.kind, post.body, await _known(session, post.id, base_url), link)
    session.add(
        Crosspost(
            id=await next_id(session, Crosspost.id), post_id=post.id, account_id=post.author_id,
            kind=place.kind, external_id=place.external_id, shown=place.shown, task=POST,
            body=body, give_up_at=now() + queue.GIVE_UP,
        )
    )  # fmt: skip
    await session.flush()


async def _known(session: Session, post_id: int, base_url: str) -> dict[str, str]:
    """Whom it mentions, by the names that lead here from anywhere."""
    mentioned = select(Account.name).join(Mention, Mention.account_id == Account.id)
    host = urlsplit(base_url).hostname or ""
    names = await session.scalars(mentioned.where(Mention.post_id == post_id))
    return {name.lower(): f"@{name}@{host}" for name in names}


async def _tell(session: Session, found: Crosspost) -> None:
    await record(session, CrosspostsChanged(found.post_id, found.account_id))


async def _of(session: Session, post_id: int) -> list[Crosspost]:
    return list(await session.scalars(select(Crosspost).where(Crosspost.post_id == post_id)))


async def _own(session: Session, account_id: int, crosspost_id: int) -> Crosspost:
    found = await session.get(Crosspost, crosspost_id)
    if found is None or found.account_id != account_id:
        raise NotFound
    return found
