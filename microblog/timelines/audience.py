"""Who, of those watching, gets to see an event: the topics under which it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from microblog.accounts import queries as accounts
from microblog.follows import queries as follows
from microblog.kernel.events import Event
from microblog.kernel.model import Session
from microblog.posts import queries as posts
from microblog.posts.events import PostDeleted, PostEdited, PostPublished
from microblog.timelines.streams import home_of

_OF_POSTS = PostPublished | PostEdited | PostDeleted


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

    @property
    def are_strangers(self) -> bool:
        """Whether pages are watched that lead anybody to a post."""
        return bool(self.tags) or "public" in self.topics

    def is_silenced(self, author_id: int) -> bool:
        """As far as those who were met are concerned."""
        return author_id in self._silenced

    async def meet(self, session: Session, authors: Set[int]) -> None:
        """Ask about all of these at once: somebody who catches up has a page of the log by many
        authors, and there are hundreds of them after a restart."""
        if self.are_strangers and (new := authors - self._met):
            self._silenced |= await accounts.silenced_among(session, new)
            self._met |= new
        if len(self.homes) == 1:
            await self._meet_whom_they_follow(session, authors)

    async def _meet_whom_they_follow(self, session: Session, authors: Set[int]) -> None:
        """Of the only one who is watching."""
        (watcher,) = self.homes
        unknown = authors - self._followers.keys()
        followed = await follows.followed_among(session, watcher, unknown) | {watcher}
        self._followers |= {one: {watcher} if one in followed else set() for one in unknown}

    async def followers(self, session: Session, author_id: int) -> set[int]:
        if author_id not in self._followers:
            found = await follows.followers_among(session, author_id, self.homes)
            self._followers[author_id] = found | ({author_id} & self.homes)
        return self._followers[author_id]


def authors_of(events: Iterable[Event | None]) -> set[int]:
    """Of the posts that these events are about."""
    return {event.author_id for event in events if isinstance(event, _OF_POSTS)}


async def audience(session: Session, event: Event, watchers: Watchers) -> list[str]:
    """Topics for an event about a post; none for other events.

    Follows are read at the moment of telling, so that a new follow or unfollow takes effect on
    open sockets at once.
    """
    if not isinstance(event, _OF_POSTS):
        return []
    homes = await watchers.followers(session, event.author_id)
    if isinstance(event, PostDeleted):
        homes = homes | (watchers.parted.get(event.author_id, set()) & watchers.homes)
    return [
        f"account:{event.author_id}",
        f"thread:{event.root_id}",
        *(home_of(account_id) for account_id in homes),
        *await _for_strangers(session, event, watchers),
    ]


async def _for_strangers(
    session: Session, event: PostPublished | PostEdited | PostDeleted, watchers: Watchers
) -> set[str]:
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
    if not watchers.tags:
        return watchers.tags
    return watchers.tags & {f"tag:{tag}" for tag in await posts.tags_of(session, event.post_id)}
