"""What authors do with posts.  Every function runs inside its caller's writing transaction.

Somebody else's post is answered like one that does not exist (SECURITY 36).
"""

from __future__ import annotations

import re

from sqlalchemy import bindparam, select, update
from sqlalchemy import delete as removing

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.kernel import ids, tokens
from microblog.kernel import text as texts
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Invalid, NotFound
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.kernel.rows import fetch_column
from microblog.posts import queries, text, visibility
from microblog.posts.events import PostDeleted, PostEdited, PostPublished
from microblog.posts.model import Mention, Post, Revision, Tag

MOST_BYTES = 16 * 1024

EMPTY = N_("Write something first.")
LONG = N_("That is %(over)s too many: a post may have %(limit)s characters.")
LARGE = N_("That is too large: a post may have 16 KiB.")
UNANSWERABLE = N_("The post you are answering is gone. You can post your text by itself.")
REPEATED = N_("You sent this form before, with another text. Press Post to publish this one too.")
WITHDRAWN = N_("What you sent from here before is deleted. Press Post to publish this text.")

_SAME_KEY = select(Post.id).where(
    Post.author_id == bindparam("author_id"), Post.idempotency_key == bindparam("key")
)
_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


async def publish(
    session: Session,
    author_id: int,
    body: str,
    *,
    limit: int,
    in_reply_to: int | None = None,
    idempotency_key: str | None = None,
) -> Post:
    """Raises `Invalid` for the body, for a post that cannot be answered, and ("idempotency_key")
    for a key that was used with another text or for a post that is deleted: what that said is
    forgotten (SECURITY R3).  Else a repeated key answers with the first post.
    """
    body = checked(body, limit)
    # The id first: drawing it takes this writer's turn, so nobody else can use the key meanwhile.
    post_id = await ids.next_id(session, Post.id)
    request = _Request(idempotency_key, in_reply_to, body)
    if first := await _first(session, author_id, request):
        return first
    post = Post(
        id=post_id,
        author_id=author_id,
        body=body,
        created_at=now(),
        in_reply_to_id=in_reply_to,
        root_id=await _root(session, author_id, in_reply_to) or post_id,
        idempotency_key=request.key,
        request_digest=request.digest,
    )
    session.add(post)
    await session.flush()
    await note_words(session, post)
    await count_reply(session, post, 1)
    await record(session, PostPublished(post.id, author_id, post.root_id))
    return post


async def edit(session: Session, author_id: int, post_id: int, body: str, *, limit: int) -> Post:
    """The earlier text becomes a revision.  Saving the same text again changes nothing."""
    post = await queries.own(session, author_id, post_id)
    body = checked(body, limit)
    if body == post.body:
        return post
    since = post.edited_at or post.created_at
    session.add(Revision(post_id=post.id, version=post.version, body=post.body, at=since))
    post.body, post.edited_at, post.version = body, now(), post.version + 1
    await _forget(session, post.id)
    await note_words(session, post)
    await record(session, PostEdited(post.id, author_id, post.root_id, post.version))
    return post


async def delete(session: Session, author_id: int, post_id: int) -> None:
    """Its words go at once and everywhere; the row stays, so that its thread holds together.

    Deleting what is deleted changes nothing: an impatient second click is no error.
    """
    post = await session.get(Post, post_id)
    if post is None or post.author_id != author_id:
        raise NotFound(queries.GONE)
    if post.deleted_at:
        return
    post.body, post.deleted_at, post.request_digest = "", now(), None
    await _forget(session, post.id)
    await session.execute(removing(Revision).where(Revision.post_id == post.id))
    await count_reply(session, post, -1)
    await record(session, PostDeleted(post.id, author_id, post.root_id))


def checked(body: str, limit: int) -> str:
    """The text as it is kept; raises `Invalid("body")`."""
    if len(body.encode("utf-8", "replace")) > MOST_BYTES:
        raise Invalid("body", LARGE)
    body = texts.tidy(body)
    if texts.is_blank(body):
        raise Invalid("body", EMPTY)
    over = text.count(body) - limit
    if over > 0:
        raise Invalid("body", LONG, over=over, limit=limit)
    return body


class _Request:
    """What tells a retry of the same form from another text under the same key."""

    def __init__(self, key: str | None, in_reply_to: int | None, body: str) -> None:
        self.key = key or None
        if key and not _KEY.fullmatch(key):
            self.key = tokens.digest(key)
        self.digest = tokens.digest(f"{in_reply_to or ''}\n{body}") if self.key else None


async def _first(session: Session, author_id: int, request: _Request) -> Post | None:
    if request.key is None:
        return None
    found = await fetch_column(session, _SAME_KEY, {"author_id": author_id, "key": request.key})
    first = await session.get_one(Post, found[0]) if found else None
    if first and first.deleted_at:
        raise Invalid("idempotency_key", WITHDRAWN)
    if first and first.request_digest != request.digest:
        raise Invalid("idempotency_key", REPEATED)
    return first


async def _root(session: Session, author_id: int, in_reply_to: int | None) -> int | None:
    if in_reply_to is None:
        return None
    answered = select(Post.root_id).join(Account, Account.id == Post.author_id)
    stands = (Post.deleted_at.is_(None), Account.suspended_at.is_(None))
    seen = visibility.is_open(Account, author_id)
    root = await session.scalar(answered.where(Post.id == in_reply_to, *stands, seen))
    if root is None:
        raise Invalid("", UNANSWERABLE)
    return root


async def note_words(session: Session, post: Post, *, with_mentions: bool = True) -> None:
    """Whom it mentions and under which tags it is found."""
    names = text.mentions(post.body) if with_mentions else []
    mentioned = await accounts.ids_by_names(session, names)
    session.add_all(Mention(post_id=post.id, account_id=one) for one in set(mentioned.values()))
    session.add_all(Tag(post_id=post.id, tag=tag) for tag in text.tags(post.body))
    await session.flush()


async def _forget(session: Session, post_id: int) -> None:
    await session.execute(removing(Mention).where(Mention.post_id == post_id))
    await session.execute(removing(Tag).where(Tag.post_id == post_id))


async def count_reply(session: Session, post: Post, change: int) -> None:
    """Those of private authors are not counted (`posts.privacy`)."""
    if post.in_reply_to_id is not None:
        private = select(Account.private_at).where(Account.id == post.author_id)
        answered = (Post.id == post.in_reply_to_id, private.scalar_subquery().is_(None))
        count = update(Post).where(*answered).values(reply_count=Post.reply_count + change)
        await session.execute(count, execution_options={"synchronize_session": False})
