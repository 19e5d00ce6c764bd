"""Taking one bite, inside its transaction: what one says of oneself, whom one follows, posts.

Each function counts what it took and leaves out, with the reason, what cannot be taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from microblog.accounts import actions as accounts
from microblog.backlinks import actions as backlinks
from microblog.follows import lists
from microblog.imports import queries, reading
from microblog.imports.actions import Left
from microblog.imports.archive import CopyFile
from microblog.imports.model import BroughtPost, Import
from microblog.imports.reading import OldRecord
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.notifications import actions as notifications
from microblog.posts import actions as posts
from microblog.posts import bringing, privacy
from microblog.posts.model import Post

UNREADABLE = N_("cannot be read")
DELETED = N_("you deleted it here")
OTHERS = N_("answers somebody else, or a post that was left out")
WORDLESS = N_("has no words that can be shown")
TOO_LONG = N_("is too long")


@dataclass(slots=True)
class Bite:
    """What came of it."""

    counts: dict[str, int] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def count(self, what: str, n: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + n

    def leave(self, what: str, why: str, **details: object) -> None:
        self.left.append(Left(what, why, details))

    def refuse(self, what: str, refusal: Invalid) -> None:
        """With the sentence that a form would show."""
        why, details = next(iter(refusal.errors.values()))
        self.leave(what, why, **details)

    async def try_to(self, what: str, counted: str, act: Awaitable[None]) -> None:
        try:
            await act
        except Invalid as refusal:
            self.refuse(what, refusal)
        else:
            self.count(counted)


async def profile(session: Session, job: Import, file: CopyFile, bite: Bite) -> None:
    """Field by field; what the copy leaves empty stays as it is here."""
    for name, written in reading.words(file).items():
        words = {name: written}
        change = accounts.edit_profile(session, job.account_id, links=None, **words)
        await bite.try_to(written, "profile", change)
    if links := reading.links(file):
        change = _show_links(session, job.account_id, links)
        await bite.try_to(", ".join(url for _, url in links), "profile", change)


async def _show_links(session: Session, account_id: int, links: Sequence[tuple[str, str]]) -> None:
    """Whether their pages link back is looked up anew: a copy can say anything."""
    await accounts.edit_profile(session, account_id, links=links)
    await backlinks.follow_profile(session, account_id)


async def settings(session: Session, job: Import, file: CopyFile, bite: Bite) -> None:
    """What was for followers only stays so: these come before the posts.  Never the other way."""
    if reading.was_private(file):
        await privacy.make_private(session, job.account_id)
        bite.count("settings")
    for name, value in reading.settings(file).items():
        change = accounts.edit_appearance(session, job.account_id, {name: value})
        await bite.try_to(f"{name}: {value}", "settings", change)
    for kind in reading.unwanted_mail(file):
        change = notifications.mute_mail(session, job.account_id, kind)
        await bite.try_to(kind, "settings", change)


async def follows(
    session: Session, job: Import, written: Sequence[str], hosts: Set[str], bite: Bite
) -> None:
    """`same_names` takes whoever has the name here for who had it there."""
    outcome = lists.Outcome()
    known = {*hosts, job.host} if "same_names" in job.wanted else set(hosts)
    await lists.follow_some(session, job.account_id, written, hosts=known, outcome=outcome)
    bite.count("followed", len(outcome.followed))
    bite.count("asked", len(outcome.requested))
    bite.count("followed_before", outcome.known)
    for what, why in outcome.skipped:
        bite.leave(what, why)


class Posts:
    """Of one import.  `hosts` are the names of this site; `moved` tells for posts that the copy's
    site had from another one where they were written, by their number in the copy."""

    def __init__(self, job: Import, hosts: Set[str], moved: Mapping[str, tuple[str, str]]) -> None:
        self._account_id = job.account_id
        self._import_id = job.id
        self._host = job.host
        self._since: datetime = job.created_at
        self._with_answers = "answers" in job.wanted
        self._hosts = hosts
        self._moved = moved

    async def take(self, session: Session, some: Iterable[OldRecord | None], bite: Bite) -> None:
        last = await queries.last_brought(session, self._import_id)
        for one in some:
            if one is None:
                bite.leave("", UNREADABLE)
            else:
                last = await self._take_one(session, one, last, bite) or last

    async def _take_one(
        self, session: Session, one: OldRecord, last: int, bite: Bite
    ) -> int | None:
        """The id of the post; None if there is no new one."""
        if (known := await self._here(session, one)) is not None:
            if known.deleted_at is None:
                bite.count("posts_before")
            else:
                bite.leave(_title(one), DELETED)
            return None
        answered = await self._answered(session, one)
        if one.answers and answered is None and not self._with_answers and not one.answered:
            bite.leave(_title(one), OTHERS)
            return None
        try:
            post = await bringing.bring(
                session, self._account_id, one.post,
                since=self._since, after=last, answering=answered,
                with_mentions=self._host in self._hosts,
            )  # fmt: skip
        except Invalid as refusal:
            bite.leave(_title(one), _why(refusal))
            return None
        self._note_origin(session, post, one, stands_alone=answered is None)
        bite.count("posts")
        return post.id

    async def _here(self, session: Session, one: OldRecord) -> Post | None:
        """The same post, if it came before, or was written here."""
        if brought := await queries.here(session, self._account_id, one.host, one.id):
            return brought
        written = await queries.written_here(session, self._account_id, one.id)
        if written is None or written.deleted_at or written.created_at != one.post.at:
            return None
        return written

    async def _answered(self, session: Session, one: OldRecord) -> Post | None:
        """The post of their own that it answers, as it is here."""
        if one.answers is None:
            return None
        host, number = self._moved.get(one.answers, (self._host, one.answers))
        brought = await queries.here(session, self._account_id, host, number)
        if brought is not None or host not in self._hosts:
            return brought
        return await queries.written_here(session, self._account_id, number)

    def _note_origin(
        self, session: Session, post: Post, one: OldRecord, *, stands_alone: bool
    ) -> None:
        whom = f"{one.answers_whom}@{self._host}" if one.answers and one.answers_whom else ""
        session.add(
            BroughtPost(
                post_id=post.id, account_id=self._account_id, import_id=self._import_id,
                host=one.host, origin_id=one.id,
                answered=(one.answered or whom) if stands_alone else "",
            )
        )  # fmt: skip


def _title(one: OldRecord) -> str:
    return f"{one.post.at:%Y-%m-%d} · {one.post.body[:500]}"


def _why(refusal: Invalid) -> str:
    """As what is wrong with a post that was written long ago."""
    sentence, _ = next(iter(refusal.errors.values()))
    return {bringing.UNDATED: bringing.UNDATED, posts.EMPTY: WORDLESS}.get(sentence, TOO_LONG)
