"""The mail that notifications write: one of a kind, or a digest of many.

A composer looks at how things are at the first lease.  What was seen on screen in the meantime,
taken back, or is not wanted any more is cancelled, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from microblog.accounts.model import Account
from microblog.accounts.queries import PersonCard
from microblog.follows import queries as follows
from microblog.kernel.i18n import DEFAULT
from microblog.kernel.model import Session
from microblog.mail.letters import DIGEST, Cancelled, Compose, Letter
from microblog.notifications import queries, recipients
from microblog.notifications.model import Notification
from microblog.notifications.queries import KINDS, NotificationView
from microblog.notifications.unsubscribe import token
from microblog.posts import queries as posts
from microblog.posts.model import Mention
from microblog.posts.queries import PostView

Context: TypeAlias = dict[str, Any]


def composers(base_url: str, unsubscribe_key: bytes) -> dict[str, Compose]:
    desk = Desk(base_url, unsubscribe_key)
    return {**dict.fromkeys(KINDS, desk.single), DIGEST: desk.digest}


@dataclass(frozen=True, slots=True)
class Desk:
    base_url: str
    unsubscribe_key: bytes

    async def single(self, session: Session, payloads: list[dict[str, Any]]) -> Letter | Cancelled:
        news = await _due(session, payloads[0])
        if isinstance(news, Cancelled):
            return news
        parent = await self._parent(session, news, payloads[0]["account_id"])
        context = {**self._told(news), "parent": parent}
        thread = f"thread-{news.post.root_id}" if news.post else None
        return replace(await self._letter(session, payloads[0], news.kind, context), thread=thread)

    async def digest(self, session: Session, payloads: list[dict[str, Any]]) -> Letter | Cancelled:
        """One letter about all that is still due."""
        found = [await _due(session, payload) for payload in payloads]
        items = [self._told(news) for news in found if isinstance(news, NotificationView)]
        if not items:
            return next(one for one in found if isinstance(one, Cancelled))
        context = {"items": items, "url": f"{self.base_url}/notifications"}
        return await self._letter(session, payloads[0], DIGEST, context)

    async def _letter(
        self, session: Session, payload: Mapping[str, Any], kind: str, about: Context
    ) -> Letter:
        reader = await session.get_one(Account, payload["account_id"])
        address = reader.email or ""
        stop = f"{self.base_url}/u/{token(self.unsubscribe_key, reader.id, kind, address)}"
        common = {
            "name": reader.display_name or reader.name,
            "settings_url": f"{self.base_url}/settings/mail",
            "unsubscribe_url": stop,
        }
        return Letter(
            template=kind, to=address, language=reader.language or DEFAULT,
            context={**common, **about}, unsubscribe=stop, list_name="notifications",
        )  # fmt: skip

    def _told(self, news: NotificationView) -> Context:
        post = self._post(news.post) if news.post else None
        return {"kind": news.kind, "actor": self._person(news.actor), "post": post}

    async def _parent(
        self, session: Session, news: NotificationView, reader: int
    ) -> Context | None:
        """What was answered, for a reply."""
        if news.kind != "reply" or news.post is None or news.post.in_reply_to is None:
            return None
        return self._post(await posts.view(session, news.post.in_reply_to, reader))

    def _person(self, person: PersonCard) -> Context:
        url = f"{self.base_url}/@{person.name}"
        return {"name": person.name, "display_name": person.shown, "bio": person.bio, "url": url}

    def _post(self, post: PostView) -> Context:
        return {"body": post.body, "url": f"{self.base_url}{post.path}"}


async def _due(session: Session, payload: Mapping[str, Any]) -> NotificationView | Cancelled:
    """What to tell, or why there is nothing to tell any more."""
    row = await session.get(Notification, payload["notification_id"])
    if row is None:
        return Cancelled("gone")
    reader = await session.get_one(Account, row.account_id)
    reason = await recipients.refusal(session, reader, row.kind) or await _settled(session, row)
    shown = None if reason else await queries.find(session, row.id)
    return shown or Cancelled(reason or "gone")


async def _settled(session: Session, news: Notification) -> str | None:
    if news.read_at is not None:
        return "seen"
    if news.post_id is None:
        return None if await _still_stands(session, news) else "unfollowed"
    if await queries.saw(session, news.account_id, news.post_id):
        return "seen"
    return None if await _still_says_so(session, news, news.post_id) else "gone"


async def _still_stands(session: Session, news: Notification) -> bool:
    """A follow, the wish for it, or that it was granted."""
    match news.kind:
        case "request":
            return await follows.requested(session, news.actor_id, news.account_id)
        case "accept":
            return await follows.follows(session, news.account_id, news.actor_id)
    return await follows.follows(session, news.actor_id, news.account_id)


async def _still_says_so(session: Session, news: Notification, post_id: int) -> bool:
    """A mention may have been edited away; an answer to a post since deleted tells nobody much."""
    reader = news.account_id
    post = (await posts.views(session, [post_id], reader)).get(post_id)
    if post is None or post.deleted:
        return False
    if news.kind == "mention":
        return await session.get(Mention, (post_id, news.account_id)) is not None
    answered = post.in_reply_to or 0
    parent = (await posts.views(session, [answered], reader)).get(answered)
    return parent is not None and not parent.deleted
