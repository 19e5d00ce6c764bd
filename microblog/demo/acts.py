"""What a cast member does in one act: look around, then one thing."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random

from microblog.accounts import queries as accounts
from microblog.accounts.queries import PersonCard
from microblog.demo import cleaning
from microblog.demo.people import Person
from microblog.demo.words import Words
from microblog.follows import actions as follows
from microblog.kernel.db import Database
from microblog.kernel.model import Session
from microblog.posts import actions as posting
from microblog.posts import queries as posts
from microblog.posts import text
from microblog.posts.queries import PostView
from microblog.timelines import queries as timelines

OURS = "cast-"  # begins the idempotency key of every post the cast writes, so that it can be told
_NEWCOMERS = 5
_IN_SIGHT = 40  # posts
_CLEAN_EVERY = 50  # acts


class Stage:
    def __init__(
        self, db: Database, players: Mapping[int, Person], words: Words, chance: Random, limit: int
    ) -> None:
        self._db = db
        self._players = players
        self._words = words
        self._chance = chance
        self._limit = limit
        self._acts = 0
        self._sight: Sequence[PostView] = ()
        self._newcomers: Sequence[PersonCard] = ()

    async def act(self) -> None:
        await self._look()
        async with self._db.writing() as session:
            await self._choice()(session)
        self._acts += 1
        if self._acts % _CLEAN_EVERY == 0:
            await cleaning.clean(self._db, OURS)

    async def _look(self) -> None:
        async with self._db.reading() as session:
            ids = await timelines.public(session, limit=_IN_SIGHT)
            shown = await posts.views(session, ids)
            self._sight = [shown[one] for one in ids if one in shown and not shown[one].deleted]
            self._newcomers = await accounts.suggestions(
                session, None, exclude=set(self._players), limit=_NEWCOMERS
            )

    def _choice(self) -> Callable[[Session], Awaitable[None]]:
        if self._unanswered() and self._chance.random() < 0.5:
            return self._welcome
        acts = {
            self._speak: 56, self._answer: 26, self._call: 4,
            self._edit: 6, self._withdraw: 4, self._follow: 4,
        }  # fmt: skip
        return self._chance.choices(list(acts), list(acts.values()))[0]

    async def _speak(self, session: Session) -> None:
        lately = {post.author.id for post in self._sight[:3]}
        author = self._someone(besides=lately)
        await self._publish(session, author, self._words.post(self._players[author]))

    async def _answer(self, session: Session) -> None:
        quiet = [post for post in self._sight if post.reply_count < 3]
        if not quiet:
            return
        post = self._chance.choice(quiet)
        author = self._someone(besides={post.author.id})
        body = self._words.answer(self._common_language(author, post), text.tags(post.body))
        await self._publish(session, author, body, in_reply_to=post.id)

    async def _welcome(self, session: Session) -> None:
        """Nobody who has just come stays without an answer for long."""
        post = self._unanswered()[0]
        author = self._someone(besides={post.author.id})
        body = self._words.welcome(self._players[author].language, post.author.name)
        await self._publish(session, author, body, in_reply_to=post.id)

    async def _call(self, session: Session) -> None:
        if not self._newcomers:
            return
        author = self._someone()
        whom = self._chance.choice(self._newcomers).name
        await self._publish(session, author, self._words.call(self._players[author].language, whom))

    async def _edit(self, session: Session) -> None:
        if post := self._own(lambda post: post.edited_at is None):
            thought = self._words.afterthought(self._players[post.author.id].language)
            body = f"{post.body}\n\n{thought}"
            await posting.edit(session, post.author.id, post.id, body, limit=self._limit)

    async def _withdraw(self, session: Session) -> None:
        if post := self._own(lambda post: post.reply_count == 0):
            await posting.delete(session, post.author.id, post.id)

    async def _follow(self, session: Session) -> None:
        if self._newcomers:
            whom = self._chance.choice(self._newcomers).id
            await follows.follow(session, self._someone(), whom)

    async def _publish(
        self, session: Session, author: int, body: str, in_reply_to: int | None = None
    ) -> None:
        await posting.publish(
            session, author, body, limit=self._limit, in_reply_to=in_reply_to,
            idempotency_key=OURS + secrets.token_hex(8),
        )  # fmt: skip

    def _unanswered(self) -> list[PostView]:
        return [
            post
            for post in self._sight
            if post.author.id not in self._players
            and post.reply_count == 0
            and post.in_reply_to is None
        ]

    def _own(self, fits: Callable[[PostView], bool]) -> PostView | None:
        """One of the cast's own posts of the last minutes, but not the newest: it was just read."""
        own = [post for post in self._sight[3:] if post.author.id in self._players and fits(post)]
        return self._chance.choice(own) if own else None

    def _someone(self, besides: set[int] | None = None) -> int:
        return self._chance.choice([one for one in self._players if one not in (besides or ())])

    def _common_language(self, author: int, post: PostView) -> str:
        """Those who write in Spanish know English, too; the others do not."""
        asked = self._players.get(post.author.id)
        return self._players[author].language if asked and asked.language != "en" else "en"
