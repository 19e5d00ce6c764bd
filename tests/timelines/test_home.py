"""Home, whichever way it is found: exactly what a plain reading of everything gives."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from sqlalchemy import insert

from microblog.accounts.model import Account
from microblog.follows.model import Follow
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.posts.model import Post
from microblog.timelines import queries
from microblog.timelines.queries import FEW, WINDOW

PEOPLE = 3 * FEW
POSTS = 2 * WINDOW
# How many the readers follow: nobody, few, one less and one more than makes a window, nearly all.
FOLLOWED = (0, 1, 10, FEW - 1, FEW, FEW + 1, PEOPLE - 20)


@dataclass
class Town:
    """Rows made at random, and what home is by a plain reading of them."""

    posts: list[tuple[int, int, bool]]  # id, author, whether it is deleted
    follows: dict[int, set[int]]

    def home(self, reader: int, before: int | None, limit: int) -> list[int]:
        shown = self.follows[reader] | {reader}
        standing = [n for n, author, deleted in self.posts if author in shown and not deleted]
        return sorted((n for n in standing if before is None or n < before), reverse=True)[:limit]


def town(seed: int) -> Town:
    """Half of the people fell silent long ago, so that following them fills no window."""
    chance = random.Random(seed)
    people = range(1, PEOPLE + 1)
    quiet = range(1, PEOPLE // 2)
    ids = chance.sample(range(1, 10 * POSTS), POSTS)
    posts = []
    for place, number in enumerate(sorted(ids)):
        author = chance.choice(people if place < POSTS // 4 else people[PEOPLE // 2 :])
        posts.append((number, author, chance.random() < 0.1))
    readers = chance.sample(people, 2 * len(FOLLOWED))
    follows = {}
    for reader, count in zip(readers, FOLLOWED * 2, strict=True):
        among = quiet if reader in readers[len(FOLLOWED) :] else people
        others = [one for one in among if one != reader]
        follows[reader] = set(chance.sample(others, min(count, len(others))))
    return Town(posts, follows)


async def build(db: Database, made: Town) -> None:
    moment = now()
    async with db.writing() as session:
        people = [{"id": n, "name": f"p{n}", "name_key": f"p{n}"} for n in range(1, PEOPLE + 1)]
        await session.execute(insert(Account), people)
        follows = [
            {"follower_id": reader, "followed_id": one}
            for reader, followed in made.follows.items()
            for one in followed
        ]
        await session.execute(insert(Follow), follows)
        posts = [
            {"id": number, "author_id": author, "body": "x", "root_id": number,
             "created_at": moment, "deleted_at": moment if deleted else None}
            for number, author, deleted in made.posts
        ]  # fmt: skip
        await session.execute(insert(Post), posts)


@pytest.mark.parametrize("seed", range(2))
async def test_home_is_what_a_plain_reading_of_everything_gives(db: Database, seed: int) -> None:
    made = town(seed)
    await build(db, made)
    places = [None, 1, *random.Random(seed).sample(range(1, 10 * POSTS), 6)]
    async with db.reading() as session:
        for reader in made.follows:
            for before in places:
                for limit in (1, 26):
                    asked = (reader, before, limit)
                    found = await queries.home(session, reader, before=before, limit=limit)
                    assert found == made.home(*asked), asked


async def test_paging_through_home_shows_all_of_it_once(db: Database) -> None:
    made = town(7)
    await build(db, made)
    reader = max(made.follows, key=lambda one: len(made.follows[one]))
    whole = made.home(reader, None, POSTS)
    seen: list[int] = []
    async with db.reading() as session:
        before = None
        while page := await queries.home(session, reader, before=before, limit=200):
            seen += page
            before = page[-1]
    assert len(whole) > WINDOW // 2
    assert seen == whole
