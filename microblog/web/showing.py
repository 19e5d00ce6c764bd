"""What an event looks like on a live page: the messages of DESIGN §8, one for each language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias, TypeGuard

from microblog.accounts.events import AccountHidden, AccountMadePrivate
from microblog.admissions.events import ApplicationDecided, ApplicationFiled
from microblog.archives.events import ArchiveMoved
from microblog.crossposts import queries as crossposts
from microblog.crossposts.events import CrosspostsChanged
from microblog.crossposts.queries import CrosspostView
from microblog.follows.events import AccountUnfollowed
from microblog.imports.events import ImportMoved
from microblog.kernel.errors import N_
from microblog.kernel.events import Entry, Event, Position
from microblog.kernel.model import Session
from microblog.live.frames import Message
from microblog.moderation import queries as moderation
from microblog.moderation.events import AppealDecided, AppealFiled, ReportClosed, ReportFiled
from microblog.moderation.queries import Waiting
from microblog.notifications import queries as notifications
from microblog.notifications.events import NotificationAdded, NotificationsChanged
from microblog.notifications.queries import NotificationView
from microblog.posts import queries as posts
from microblog.posts.events import PostDeleted, PostEdited, PostPublished
from microblog.posts.queries import PostView
from microblog.timelines.audience import Watchers, audience, authors_of, turnover
from microblog.timelines.streams import own
from microblog.web import parts
from microblog.web.languages import translated
from microblog.web.parts import Part
from microblog.web.rendering import (
    crossposts_fragment,
    fragment,
    in_language,
    notification_fragment,
    part_fragment,
)

Change: TypeAlias = tuple[str, str, str]  # target, action, element
Shows: TypeAlias = tuple[
    PostView | None, NotificationView | None, tuple[CrosspostView, ...], Part | None
]
ForOne: TypeAlias = (
    NotificationAdded | NotificationsChanged | CrosspostsChanged | ArchiveMoved | ImportMoved
)
ForStaff: TypeAlias = (
    ReportFiled | ReportClosed | AppealFiled | AppealDecided | ApplicationFiled | ApplicationDecided
)

LEFT = N_("This post is not on this page any more")


@dataclass(frozen=True, slots=True)
class Shown:
    """An event with all that is needed to show it, loaded at the moment of telling."""

    id: int
    event: Event
    topics: list[str]
    edit: str = "replace"  # what an edit does to these pages: to a tag's it may bring a post
    post: PostView | None = None
    notification: NotificationView | None = None
    unread: int | None = None
    waiting: Waiting | None = None
    copies: tuple[CrosspostView, ...] = ()
    part: Part | None = None


async def shown(
    session: Session, page: Iterable[Entry], watchers: Watchers, wanted: Callable[[str], bool]
) -> list[Shown]:
    """Those events of `page` that someone wants to see, in order, and the topics they are told
    under.

    `wanted` tells whether a topic is listened to; nothing is loaded for the others.
    """
    told: list[Shown] = []
    events = [(logged.id, logged.event()) for logged in page]
    await watchers.meet(session, authors_of(event for _, event in events))
    for event_id, event in events:
        for edit, among in await _by_edit(session, event, watchers):
            topics = [topic for topic in among if wanted(topic)]
            if event and topics:
                told.append(Shown(event_id, event, topics, edit))
    ids = [what.event.post_id for what in told if _shows_post(what.event)]
    views = await posts.unguarded_views(session, ids)
    return [await _loaded(session, what, views) for what in told]


async def _by_edit(
    session: Session, event: Event | None, watchers: Watchers
) -> list[tuple[str, list[str]]]:
    found = [("replace", await _topics(session, event, watchers))]
    if isinstance(event, PostEdited) and watchers.tags:
        joined, left = await turnover(session, event, watchers)
        found += [("insert", sorted(joined)), ("remove", sorted(left))]
    return found


async def _topics(session: Session, event: Event | None, watchers: Watchers) -> list[str]:
    if isinstance(event, ForOne):
        return [own(event.account_id)]
    if isinstance(event, AccountHidden):  # wherever anything of them may be shown
        return sorted(watchers.topics)
    if isinstance(event, ForStaff):
        return [own(one.id) for one in await moderation.staff(session)]
    return await audience(session, event, watchers) if event else []


async def _loaded(session: Session, what: Shown, views: dict[int, PostView]) -> Shown:
    match what.event:
        case PostPublished(post_id=post_id) | PostEdited(post_id=post_id):
            return replace(what, post=views.get(post_id))
        case NotificationAdded(notification_id=notification_id):
            added = await notifications.find(session, notification_id)
            what = replace(what, notification=added)
        case CrosspostsChanged(post_id=post_id):
            return replace(what, copies=await crossposts.crossposts_of(session, post_id))
        case ArchiveMoved() | ImportMoved() as moved:
            return replace(what, part=await parts.part(session, moved))
    return await _counted(session, what)


async def _counted(session: Session, what: Shown) -> Shown:
    match what.event:
        case NotificationAdded(account_id=account_id) | NotificationsChanged(account_id=account_id):
            return replace(what, unread=await notifications.unread(session, account_id))
    if isinstance(what.event, ForStaff):
        return replace(what, waiting=await moderation.waiting(session))
    return what


def messages(what: Shown, epoch: str, languages: Iterable[str]) -> list[dict[str, Message]]:
    """The messages that show one event, each by language."""
    position = str(Position(epoch, what.id))
    told = []
    if what.unread is not None:
        told.append(_same(count_message(what.id, position, what.unread), languages))
    if what.waiting is not None:
        of_each = {f"waiting_{queue}": n for queue, n in what.waiting._asdict().items()}
        for name, value in {"waiting": what.waiting.total, **of_each}.items():
            count = count_message(what.id, position, value, name=name)
            told.append(_same(count, languages))
    spoken = list(languages)
    return told + [
        {language: _event(what, position, change, language) for language in spoken}
        for change in _changes(what)
    ]


def count_message(
    event_id: int, position: str, value: int, *, name: str = "unread_notifications"
) -> Message:
    return Message(type="count", id=event_id, position=position, name=name, value=value)


def _same(message: Message, languages: Iterable[str]) -> dict[str, Message]:
    return dict.fromkeys(languages, message)


def _event(what: Shown, position: str, change: Change, language: str) -> Message:
    shows = what.post, what.notification, what.copies, what.part
    return _drawn(what.id, position, change, shows, language)


@lru_cache(maxsize=1000)
def _drawn(
    event_id: int,
    position: str,
    change: Change,
    shows: Shows,
    language: str,
) -> Message:
    """Kept, since after a restart everybody asks for the same.  The words of its age may be old by
    then; the script, without which nobody reads messages, puts them right."""
    target, action, element = change
    place = {"target": target, "action": action, "element": element}
    said = _said(target, action, shows, language)
    return Message(type="event", id=event_id, position=position, **place, **said)


def _said(target: str, action: str, shows: Shows, language: str) -> dict[str, str]:
    if action != "remove":
        return {"html": _html(target, shows, language)}
    post, *_ = shows
    if post is None:
        return {}
    with in_language(language):  # it still stands, on other pages
        return {"words": translated(LEFT)}


def _html(target: str, shows: Shows, language: str) -> str:
    post, notification, copies, part = shows
    with in_language(language):
        if part is not None:
            return str(part_fragment(part))
        if target == "copies":
            return str(crossposts_fragment(copies))
        if notification is not None:
            return str(notification_fragment(notification))
        return str(fragment(post)) if post else ""


def _changes(what: Shown) -> list[Change]:
    match what.event:
        case AccountHidden(account_id=account_id):
            author = f"author-{account_id}"
            return [(shown, "remove", author) for shown in ("timeline", "notifications", "person")]
        case AccountMadePrivate(account_id=account_id) | AccountUnfollowed(followed_id=account_id):
            return [("timeline", "remove", f"author-{account_id}")]
    return [change] if (change := _change(what)) else []


def _change(what: Shown) -> Change | None:
    """What happens to which element; None where there is nothing to show (any more)."""
    change: Change | None = None
    match what.event:
        case PostPublished(post_id=post_id) if _stands(what.post):
            change = ("timeline", "insert", f"post-{post_id}")
        case PostEdited(post_id=post_id) if _stands(what.post):
            change = ("timeline", what.edit, f"post-{post_id}")
        case PostDeleted(post_id=post_id):
            change = ("timeline", "remove", f"post-{post_id}")
        case NotificationAdded(notification_id=notification_id) if what.notification:
            change = ("notifications", "insert", f"notification-{notification_id}")
        case CrosspostsChanged(post_id=post_id):
            change = ("copies", "replace", f"copies-{post_id}")
        case ArchiveMoved() | ImportMoved() if what.part:
            change = ("part", "replace", parts.element(what.part))
    return change


def _stands(post: PostView | None) -> bool:
    return post is not None and not post.deleted


def _shows_post(event: Event) -> TypeGuard[PostPublished | PostEdited]:
    return isinstance(event, PostPublished | PostEdited)
