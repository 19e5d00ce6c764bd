"""Old posts that their author brings along from another site, at their dates and in silence.

Where a post stands in every list is said by its id alone, so a brought one gets an id of the moment
it was written, as if it had been written here: profiles, tags and conversations show it at its
date, and no list needs to know of it.  (Ids below the oldest, all together, would put the posts of
two people, or of two archives of one, one behind the other whatever their dates.)  What was written
within the last day stands as if it were a day old, so nothing is slipped in above what those
who were here have just read; its date is shown as it is.

No event is recorded: nobody is told, by page or by mail, and whoever looks next finds it.  Names
that are mentioned mean people of the other site, so here they are only words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from microblog.kernel import ids
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.posts import actions
from microblog.posts.model import Post, Revision

LONGEST = 5000  # characters: more than any site can allow
MOST_EARLIER = 50
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
YOUNGEST = timedelta(days=1)
AHEAD = timedelta(minutes=10)  # that the clock of the other site may be

UNDATED = N_("its date cannot be right")


@dataclass(frozen=True, slots=True)
class OldPost:
    """As it was elsewhere; `earlier` are the texts it had before, and from when on."""

    body: str
    at: datetime
    edited_at: datetime | None = None
    earlier: Sequence[tuple[datetime, str]] = ()


async def bring(
    session: Session,
    author_id: int,
    old: OldPost,
    *,
    since: datetime,
    after: int = 0,
    answering: Post | None = None,
    with_mentions: bool = False,
) -> Post:
    """`since` is when the bringing began, `after` the post brought before this one; `answering`
    is a post of the same author.  Raises `Invalid`."""
    if not OLDEST <= old.at <= since + AHEAD:
        raise Invalid("at", UNDATED)
    body = actions.checked(old.body, LONGEST)
    earlier = [(at, actions.checked(said, LONGEST)) for at, said in old.earlier[-MOST_EARLIER:]]
    above = max(after, answering.id if answering else 0)
    wanted = max(ids.at(min(old.at, since - YOUNGEST)), above + 1)
    post_id = await ids.free_id(session, Post.id, wanted)
    post = Post(
        id=post_id,
        author_id=author_id,
        body=body,
        created_at=old.at,
        edited_at=old.edited_at if earlier else None,
        version=len(earlier) + 1,
        in_reply_to_id=answering.id if answering else None,
        root_id=answering.root_id if answering else post_id,
    )
    session.add(post)
    await session.flush()
    for version, (at, said) in enumerate(earlier, 1):
        session.add(Revision(post_id=post.id, version=version, body=said, at=at))
    await actions.note_words(session, post, with_mentions=with_mentions)
    await actions.count_reply(session, post, 1)
    return post
