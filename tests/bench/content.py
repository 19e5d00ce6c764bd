"""The same people and posts for every site that the bench compares: as SQL for ours, as SQL for
the peers, whose tables are named otherwise."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

PEOPLE = 200
FOLLOWED = 60  # by each reader
SENTENCES = (
    "Have you seen the sketch of the engine?",
    "It weaves algebraical patterns just as the loom weaves flowers and leaves. #engine",
    "More at https://example.org/notes/12, which is worth an evening.",
    "The kettle is on & the cat <sits> on the manuscript again.",
    "We walked to the lake and back; nobody said a word for an hour.",
    "Does anybody have the second volume? #books",
)


@dataclass(frozen=True)
class Post:
    number: int  # from 1, oldest first
    author: int  # from 0
    body: str
    at: datetime


@dataclass(frozen=True)
class Content:
    """People 0 to `readers` - 1 read and write; the others have written."""

    readers: Sequence[str]
    posts: int
    people: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        others = (f"writer{number}" for number in range(PEOPLE - len(self.readers)))
        object.__setattr__(self, "people", (*self.readers, *others))

    def written(self) -> Iterator[Post]:
        drawn = random.Random(25)
        moment = datetime.now(UTC) - timedelta(minutes=self.posts)
        for number in range(1, self.posts + 1):
            body = " ".join(drawn.sample(SENTENCES, drawn.choice((1, 1, 2, 3))))
            at = moment + timedelta(minutes=number)
            yield Post(number, drawn.randrange(len(self.readers), PEOPLE), body, at)

    def follows(self) -> Iterator[tuple[int, int]]:
        """Who follows whom: each reader some of the others."""
        drawn = random.Random(60)
        for reader in range(len(self.readers)):
            for other in drawn.sample(range(len(self.readers), PEOPLE), FOLLOWED):
                yield reader, other


def into_ours(content: Content, file: Path) -> None:
    """The readers have registered; the others and their posts are added."""
    with closing(sqlite3.connect(file, timeout=30)) as db, db:
        known = dict(db.execute("SELECT name, id FROM accounts"))
        db.executemany(
            "INSERT INTO accounts (name, name_key, created_at) VALUES (?, ?, ?)",
            ((name, name, _moment(datetime.now(UTC))) for name in content.people
             if name not in known),
        )  # fmt: skip
        known = dict(db.execute("SELECT name, id FROM accounts"))
        ids = [known[name] for name in content.people]
        moment = _moment(datetime.now(UTC))
        db.executemany(
            "INSERT INTO follows (follower_id, followed_id, at) VALUES (?, ?, ?)",
            ((ids[one], ids[other], moment) for one, other in content.follows()),
        )
        db.executemany(
            "INSERT INTO posts (id, author_id, body, created_at, root_id) VALUES (?, ?, ?, ?, ?)",
            ((_id(post), ids[post.author], post.body, _moment(post.at), _id(post))
             for post in content.written()),
        )  # fmt: skip


def into_peer(content: Content, file: Path, password_hash: str) -> None:
    """The tables are there, and empty."""
    with closing(sqlite3.connect(file)) as db, db:
        moment = _moment(datetime.now(UTC))
        db.executemany(
            "INSERT INTO user (id, username, email, password_hash, last_seen)"
            " VALUES (?, ?, ?, ?, ?)",
            ((number + 1, name, f"{name}@example.org", password_hash, moment)
             for number, name in enumerate(content.people)),
        )  # fmt: skip
        db.executemany(
            "INSERT INTO followers (follower_id, followed_id) VALUES (?, ?)",
            ((one + 1, other + 1) for one, other in content.follows()),
        )
        db.executemany(
            "INSERT INTO post (id, body, timestamp, user_id) VALUES (?, ?, ?, ?)",
            ((post.number, post.body, _moment(post.at), post.author + 1)
             for post in content.written()),
        )  # fmt: skip


def _id(post: Post) -> int:
    """As `microblog.kernel.ids` draws them."""
    return int(post.at.timestamp() * 1000) << 16


def _moment(at: datetime) -> str:
    """As SQLAlchemy writes them into SQLite."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
