"""Who, of those watching, gets to see an event: the topics under which it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from microblog.accounts.events import AccountMadePrivate
from microblog.follows import queries as follows
from microblog.follows.events import AccountUnfollowed
from microblog.kernel.events import Event
from microblog.kernel.model import Session
from microblog.posts import queries as posts
from microblog.posts import visibility
from microblog.posts.events import PostDeleted, PostEdited, PostPublished
from microblog.timelines.streams import as_read_by, home_of, page_of, reader_of

OfPost: TypeAlias = PostPublished | PostEdited | PostDeleted
_OF_ONE = ("home:", "own:")
_FEW = 100  # homes, for each of which and each author the index is looked into


@dataclass(slots=True)
class Watchers:
    """Who is watching, as far as the audience depends on it.

    `homes` are accounts with an open home timeline and `tags` the tag topics with a page open.
    One is made for each page of events: an author's followers are then asked for once.
    """

    homes: set[int] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)  # all that is watched
    # Author -> who has unfollowed them while a home page was open, which still shows their posts.
    parted: Mapping[int, set[int]] = field(default_factory=dict)
    _followers: dict[int, set[int]] = field(default_factory=dict)
    _met: set[int] = field(default_factory=set)
    _silenced: set[int] = field(default_factory=set)
    _private: set[int] = field(default_factory=set)
    _by_page: dict[str, set[int]] = field(default_factory=dict)

    @property
    def are_strangers(self) -> bool:
        """Whether pages are watched that lead anybody to a post."""
        return bool(self.tags) or "public" in self.topics

    def is_silenced(self, author_id: int) -> bool:
        """As far as those who were met are concerned."""
        return author_id in self._silenced

    def is_private(self, author_id: int) -> bool:
        """As far as those who were met are concerned."""
        return author_id in self._private

    async def meet(self, session: Session, authors: Set[int]) -> None:
        """Ask about all of these at once: those who catch up have a page of the log, which may be
        by many authors."""
        if (new := authors - self._met) and self._share_a_page():
            silenced, private = await visibility.reserved_among(session, new)
            self._silenced |= silenced
            self._private |= private
            self._met |= new
        if len(self.homes) <= _FEW:
            await self._meet_whom_they_follow(session, authors - self._followers.keys())

    def _share_a_page(self) -> bool:
        """Whether any is watched that is not one person's alone."""
        return any(not topic.startswith(_OF_ONE) for topic in self.topics)

    def reading(self, *pages: str) -> set[int]:
        """Accounts that watch any of these pages, which they share with others."""
        return {who for page in pages for who in self._readers().get(page, ())}

    def everybody(self) -> set[int]:
        """Accounts that watch a list of posts, and `VISITOR`, if there is one."""
        return {who for topic in self.topics if (who := reader_of(topic)) is not None}

    def _readers(self) -> Mapping[str, set[int]]:
        if not self._by_page:
            for topic in self.topics:
                if (who := reader_of(topic)) is not None:
                    self._by_page.setdefault(page_of(topic), set()).add(who)
        return self._by_page

    async def _meet_whom_they_follow(self, session: Session, authors: Set[int]) -> None:
        found = {author: {author} & self.homes for author in authors}
        if authors and self.homes:
            for who, whom in await follows.ties_between(session, self.homes, authors):
                found[whom].add(who)
        self._followers |= found

    async def followers(self, session: Session, author_id: int) -> set[int]:
        if author_id not in self._followers:
            found = await follows.followers_among(session, author_id, self.homes)
            self._followers[author_id] = found | ({author_id} & self.homes)
        return self._followers[author_id]


def authors_of(events: Iterable[Event | None]) -> set[int]:
    """Of the posts that these events are about."""
    return {event.author_id for event in events if isinstance(event, OfPost)}


async def audience(session: Session, event: Event, watchers: Watchers) -> list[str]:
    """Topics for an event about a post, or about who may see posts; none for other events.

    Follows are read at the moment of telling, so that a new follow or unfollow takes effect on
    open sockets at once.
    """
    match event:
        case PostPublished() | PostEdited() | PostDeleted():
            return await _of_post(session, event, watchers)
        case AccountMadePrivate(account_id=author_id):
            return await _closed(session, author_id, watchers, watchers.everybody())
        case AccountUnfollowed(follower_id=parted, followed_id=author_id):
            there = watchers.everybody() & {parted}
            return await _closed(session, author_id, watchers, there) if there else []
    return []


async def _of_post(session: Session, event: OfPost, watchers: Watchers) -> list[str]:
    author_id = event.author_id
    homes = await watchers.followers(session, author_id)
    pages = (f"account:{author_id}", f"thread:{event.root_id}")
    await watchers.meet(session, {author_id})
    if watchers.is_private(author_id):
        seeing = await visibility.readers_among(session, author_id, watchers.reading(*pages))
        shared = {as_read_by(page, reader) for page in pages for reader in seeing}
        return [*(home_of(one) for one in homes), *(shared & watchers.topics)]
    if isinstance(event, PostDeleted):
        homes = homes | (watchers.parted.get(author_id, set()) & watchers.homes)
    at_home = (home_of(account_id) for account_id in homes)
    return [*pages, *at_home, *await _for_strangers(session, event, watchers)]


async def _closed(
    session: Session, author_id: int, watchers: Watchers, among: Set[int]
) -> list[str]:
    """Pages of those among some who may not see (any more) what somebody posts."""
    if not await visibility.is_private(session, author_id):
        return []
    parted = among - await visibility.readers_among(session, author_id, among)
    return [topic for topic in watchers.topics if reader_of(topic) in parted]


async def _for_strangers(session: Session, event: OfPost, watchers: Watchers) -> set[str]:
    """Pages that lead anybody to it, where a silenced author is not; what is deleted goes from all.

    A deleted post has no tags any more, so it is taken from every tag page that shows it.
    """
    if isinstance(event, PostDeleted):
        return watchers.tags | {"public"}
    await watchers.meet(session, {event.author_id})
    if not watchers.are_strangers or watchers.is_silenced(event.author_id):
        return set()
    return {"public"} | await _tags(session, event, watchers)


async def _tags(
    session: Session, event: PostPublished | PostEdited, watchers: Watchers
) -> set[str]:
    """Tag pages where a post begins, or where an edited one stays."""
    if not watchers.tags:
        return watchers.tags
    was, became, now = await _tag_pages(session, event)
    return watchers.tags & now & (became if isinstance(event, PostPublished) else was & became)


async def turnover(
    session: Session, event: PostEdited, watchers: Watchers
) -> tuple[set[str], set[str]]:
    """Tag pages, of those watched, which an edit brings a post to, and which it takes it from."""
    await watchers.meet(session, {event.author_id})
    if not watchers.tags or watchers.is_private(event.author_id):
        return set(), set()
    was, became, now = await _tag_pages(session, event)
    joined = set() if watchers.is_silenced(event.author_id) else now & became - was
    return watchers.tags & joined, watchers.tags & (was - became)


async def _tag_pages(
    session: Session, event: PostPublished | PostEdited
) -> tuple[set[str], set[str], set[str]]:
    """Where the post belonged before, then, and now: what is shown late is the present text."""
    version = event.version if isinstance(event, PostEdited) else 1
    now = set(await posts.tags_of(session, event.post_id))
    earlier: dict[int, set[str]] = {}
    if now or version > 1:  # most have none
        earlier = await posts.earlier_tags(session, event.post_id, (version - 1, version))
    became = earlier.get(version, now)
    was = earlier.get(version - 1, became) if version > 1 else set()
    return _pages_of(was), _pages_of(became), _pages_of(now)


def _pages_of(tags: set[str]) -> set[str]:
    return {f"tag:{tag}" for tag in tags}
