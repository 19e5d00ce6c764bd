"""What of the log concerns the pages that are open here: subjects of the bus (`kernel.bus`)."""

from __future__ import annotations

from microblog.follows import queries as follows
from microblog.kernel.model import Session

MOST = 2_000  # a process whose readers follow more authors than this hears of every post
EVERY_POST = "post.>"
MODERATION = "moderation.>"  # rare, and staff may be anywhere
EVERY_FAREWELL = "hidden.*"  # rare, and it may concern any page


async def subjects(session: Session, topics: set[str]) -> set[str]:
    """Of a process where somebody listens to `topics` of the hub."""
    found = {MODERATION, EVERY_FAREWELL}
    homes: set[int] = set()
    for topic in topics:
        kind, _, of = topic.partition(":")
        if kind == "as":  # beside the topic of the page itself
            continue
        if kind == "home":
            homes.add(int(of))
            found |= {f"follow.{of}.*", f"post.{of}.*"}
        else:
            found.add(_subject(kind, of))
    authors = await follows.followed_by_any(session, homes, MOST + 1)
    if len(authors) > MOST:
        return found | {EVERY_POST}
    return found | {f"post.{author_id}.*" for author_id in authors}


def _subject(kind: str, of: str) -> str:
    match kind:
        case "own":
            return f"account.{of}"
        case "account":
            return f"post.{of}.*"
        case "thread":
            return f"post.*.{of}"
    return EVERY_POST  # the page of everybody, and those of tags
