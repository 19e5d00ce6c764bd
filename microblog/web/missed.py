"""What those who come back have missed, read for many at once.

After a restart everybody comes back within seconds and asks for nearly the same part of the log.
It is read once for all who stand near one another, as if they were all there is: each event comes
with the topics it is told under, exactly as live, and is drawn once in each language.  What is one
reader's own is decided by their topics alone, and counted by account.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from microblog.follows.events import AccountUnfollowed
from microblog.kernel import events
from microblog.kernel.events import Entry, Position
from microblog.kernel.model import Session
from microblog.kernel.together import Together
from microblog.live.connection import Listener
from microblog.live.frames import Message
from microblog.notifications import queries as notifications
from microblog.timelines.audience import Watchers
from microblog.timelines.streams import home_of
from microblog.web.arrivals import Reading
from microblog.web.showing import Shown, messages, shown

PAGE = 200  # events read at once


@dataclass(slots=True, eq=False)
class Behind:
    """A reader who comes back, and how far they are."""

    listener: Listener
    at: Position
    until: int  # what happens later comes live
    counted: int  # `unread` is how many there were then
    unread: int
    parted: set[int] = field(default_factory=set)  # whom they have unfollowed on the way


class Missed:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._together = Together(self._read, _are_near)

    async def read_on(self, behind: Behind) -> list[Message] | None:
        """Move on a page and say what it shows; None where the log does not reach back that far.

        Nothing is open any more when it is drawn: what cannot be drawn fails for those who see it.
        """
        stretch = await self._together.answer(behind)
        if stretch is None:
            return None
        told = stretch.told(behind.listener, behind.at.id)
        account_id = behind.listener.account_id or 0
        behind.unread = stretch.unread.get(account_id, behind.unread)
        behind.parted = {author for author, who in stretch.parted.items() if account_id in who}
        if stretch.through <= behind.at.id:  # there is no more
            behind.until = behind.at.id
        else:
            behind.at = replace(behind.at, id=stretch.through)
        return told

    async def _read(self, together: list[Behind]) -> list[_Stretch | None]:
        async with self._reading() as session:
            reach = await events.reach(session)
            known = [one for one in together if reach.has_all_since(one.at)]
            stretch = await _stretch(session, reach.epoch, known) if known else None
        return [stretch if reach.has_all_since(one.at) else None for one in together]


class _Stretch:
    """A page of the log with what it shows to some, `parted` and `unread` of them."""

    def __init__(
        self, epoch: str, through: int, found: Sequence[Shown],
        parted: Mapping[int, set[int]], unread: Mapping[int, int],
    ) -> None:  # fmt: skip
        self.through = through
        self.parted = parted
        self.unread = unread
        self._epoch = epoch
        self._found = found
        self._by_topic: defaultdict[str, list[int]] = defaultdict(list)
        for number, what in enumerate(found):
            for topic in what.topics:
                self._by_topic[topic].append(number)
        self._drawn: dict[tuple[int, str], list[Message]] = {}

    def told(self, listener: Listener, after: int) -> list[Message]:
        """What they are told of it, who have seen everything up to the event `after`."""
        theirs = {n for topic in listener.topics for n in self._by_topic.get(topic, ())}
        numbers = sorted(n for n in theirs if self._found[n].id > after)
        each = (self._messages(number, listener.language) for number in numbers)
        return [message for some in each for message in some]

    def _messages(self, number: int, language: str) -> list[Message]:
        key = number, language
        if key not in self._drawn:
            what = replace(self._found[number], unread=None)  # it follows at the end
            told = messages(what, self._epoch, [language])
            self._drawn[key] = [by_language[language] for by_language in told]
        return self._drawn[key]


async def _stretch(session: Session, epoch: str, readers: Sequence[Behind]) -> _Stretch:
    page = await events.after(session, min(one.at.id for one in readers), PAGE)
    watchers = _watchers(readers)
    watchers.parted = parted = _parted_on_the_way(readers, page, watchers.homes)
    found = await shown(session, page, watchers, watchers.topics.__contains__)
    through = page[-1].id if page else 0
    arriving = {
        one.listener.account_id
        for one in readers
        if one.listener.account_id is not None and max(one.until, one.counted + 1) <= through
    }
    unread = await notifications.unread_of_each(session, arriving) if arriving else {}
    return _Stretch(epoch, through, found, parted, unread)


def _are_near(first: Behind, other: Behind) -> bool:
    """So that a page which begins at one of them goes on beyond all."""
    return abs(first.at.id - other.at.id) < PAGE // 2


def _watchers(readers: Iterable[Behind]) -> Watchers:
    """These as all who are watching."""
    found = Watchers()
    for listener in (one.listener for one in readers):
        found.topics.update(listener.topics)
        if listener.account_id is not None and home_of(listener.account_id) in listener.topics:
            found.homes.add(listener.account_id)
    found.tags = {topic for topic in found.topics if topic.startswith("tag:")}
    return found


def _parted_on_the_way(
    readers: Iterable[Behind], page: Iterable[Entry], homes: set[int]
) -> dict[int, set[int]]:
    known: dict[int, set[int]] = {}
    for one in readers:
        for author in one.parted:
            known.setdefault(author, set()).add(one.listener.account_id or 0)
    return parted(known, page, homes)


def parted(
    known: Mapping[int, set[int]], page: Iterable[Entry], homes: set[int]
) -> dict[int, set[int]]:
    """`known` and those who unfollow in `page`, as far as their home page is open: it still shows
    posts of that author, and what is deleted is to go from every screen."""
    found = {author: still for author, who in known.items() if (still := who & homes)}
    for logged in page:
        event = logged.event()
        if isinstance(event, AccountUnfollowed) and event.follower_id in homes:
            found.setdefault(event.followed_id, set()).add(event.follower_id)
    return found
