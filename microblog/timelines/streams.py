"""Streams: what a page can watch.  ``home``, ``public``, ``account:<id>``, ``thread:<post id>``,
``tag:<tag>`` and ``none``, which carries a person's own news only.

A stream is listened to under a topic of the hub, where a thread goes by its first post.  Pages that
several people may have open are listened to under a topic with the reader, too: what a private
account posts is told there.
"""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.posts import queries as posts
from microblog.posts import visibility

_NUMBERED = ("account", "thread")
_READ_BY = "as:"  # no stream is called so


@dataclass(frozen=True, slots=True)
class Stream:
    kind: str
    of: str = ""

    @classmethod
    def parse(cls, written: str) -> Stream | None:
        """The stream `written` names, or None if it names none."""
        kind, colon, of = written.partition(":")
        if kind in ("home", "public", "none"):
            return None if colon else cls(kind)
        if kind in _NUMBERED:
            number = of.isascii() and of.isdigit() and len(of) < 20 and 0 < int(of) <= LARGEST
            return cls(kind, of) if number else None
        return cls(kind, of.casefold()) if kind == "tag" and 0 < len(of) <= 100 else None


def home_of(account_id: int) -> str:
    return f"home:{account_id}"


def as_read_by(page: str, account_id: int) -> str:
    """The topic of `page`, which others have open, too, for what is not for all of them."""
    return f"{_READ_BY}{account_id}:{page}"


def reader_of(topic: str) -> int | None:
    """Whose page it is, or who reads it; None where that says nothing of who."""
    kind, _, rest = topic.partition(":")
    return int(rest.partition(":")[0]) if kind in ("home", "as") else None


def page_of(topic: str) -> str:
    """Of `as_read_by`."""
    return topic.removeprefix(_READ_BY).partition(":")[2]


def own(account_id: int) -> str:
    """The topic of someone's notifications and counts."""
    return f"own:{account_id}"


async def topics(session: Session, stream: Stream, account_id: int | None) -> tuple[str, ...]:
    """What a page on `stream` listens to, opened by `account_id` or by a visitor.

    Raises NotFound for a thread that does not exist, or of which the post is not for them.
    """
    if stream.kind == "thread":
        root = await posts.root_of(session, int(stream.of), account_id)
        stream = Stream("thread", str(root))
    return topics_of(stream, account_id)


def topics_of(stream: Stream, account_id: int | None) -> tuple[str, ...]:
    """The same, of a thread that is named by its first post."""
    mine = (own(account_id),) if account_id is not None else ()
    match stream.kind:
        case "none":
            return mine
        case "home":
            return (home_of(account_id or 0), *mine)
    topic = f"{stream.kind}:{stream.of}" if stream.of else stream.kind
    return (topic, as_read_by(topic, account_id or visibility.VISITOR), *mine)
