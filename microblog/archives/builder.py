"""Makes copies beside everything else: a page of posts read, a page packed, a pause.

What is packed goes to a file without a name, which is gone with the process, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

from microblog.archives import actions, queries
from microblog.archives.actions import PART, Work
from microblog.archives.lists import followers_list, following_list
from microblog.archives.pages import FOLLOWERS, FOLLOWING, STYLE, Month, Pages, month_of
from microblog.archives.queries import Ask, Record
from microblog.crossposts import queries as crossposts
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.leasing import borrowed
from microblog.kernel.model import Session
from microblog.media import actions as pictures
from microblog.media import store

FORMAT = 1  # of what is there; a further file needs no other number, for readers pass it over
TOLD = 1.0  # seconds between two words about how far it is

Records: TypeAlias = Callable[[Session, int, int], Awaitable[list[Record]]]
# Files for programs beside person.json and posts.json, and where the records of each come from: a
# page after another, each record with an "id".
LISTS: Mapping[str, Records] = {
    "notifications.json": queries.notifications_after,
    "copies.json": crossposts.exported_after,
}
FILES = ("person.json", "posts.json", *LISTS, "following.csv", "followers.csv")


class Lost(Exception):
    """Somebody else has taken over, or its owner has asked anew."""


class Builder:
    """`step` makes one copy, if one is wanted.  `host` is what names are written with."""

    def __init__(self, db: Database, folder: Path, host: str) -> None:
        self._db = db
        self._folder = folder
        self._host = host
        self._done = 0
        self._told = 0.0
        self.beat: Callable[[], None] = lambda: None  # a long step is no dead one

    async def step(self) -> None:
        work = await borrowed(self._db, queries.is_waiting, actions.lease)
        if work is not None:
            with contextlib.suppress(Lost), tempfile.TemporaryFile(dir=self._folder) as file:
                await self._pack(work, file)
                await self._keep(work, file)

    async def _pack(self, work: Work, file: IO[bytes]) -> None:
        self._done = 0
        async with self._db.reading() as session:
            person = await queries.person(session, work.account_id)
        pages = Pages.of(person, self._host)
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.writestr("person.json", _json({"format": FORMAT, "host": self._host, **person}))
            people = await self._people(work, archive, pages)
            pictures = await self._pictures(work, archive)
            for name, ask in LISTS.items():
                await self._write(archive, name, self._all(work, ask))
            await self._write(archive, "posts.json", self._posts(work))
            months = await self._months(work, archive, pages)
            archive.writestr("style.css", STYLE)
            archive.writestr("index.html", pages.index(months, people, pictures, FILES, now()))

    async def _people(self, work: Work, archive: ZipFile, pages: Pages) -> tuple[int, int]:
        """Whom they follow and who follows them, as lists and to read; how many."""
        following = await self._names(work, queries.following_after)
        followers = await self._names(work, queries.followers_after)
        archive.writestr("following.csv", following_list(following, self._host))
        archive.writestr("followers.csv", followers_list(followers, self._host))
        with archive.open("people.html", "w", force_zip64=True) as page:
            page.write(pages.people_head().encode())
            for sentence, names in ((FOLLOWING, following), (FOLLOWERS, followers)):
                page.write(pages.people_section(sentence, len(names)).encode())
                page.write(pages.people_items(names).encode() + b"</ul>\n")
            page.write(pages.people_foot().encode())
        return len(following), len(followers)

    async def _names(self, work: Work, ask: Ask) -> list[str]:
        names: list[str] = []
        after = 0
        while True:
            async with self._db.reading() as session:
                page = await ask(session, work.account_id, after)
            if not page:
                return names
            names += [person.name for person in page]
            after = page[-1].id
            await self._note(work)

    async def _pictures(self, work: Work, archive: ZipFile) -> set[str]:
        """In every size in which they are shown; what they were made from is not kept."""
        async with self._db.reading() as session:
            names = await pictures.shown_of(session, work.account_id)
        kept = set()
        for name in names:
            path = store.folder(self._folder) / name
            with contextlib.suppress(OSError):  # just replaced
                archive.writestr(f"media/{name}", await asyncio.to_thread(path.read_bytes))
                kept.add(name)
        return kept

    async def _months(self, work: Work, archive: ZipFile, pages: Pages) -> list[Month]:
        """A page for each month; those that have one, oldest first."""
        with contextlib.closing(_Book(archive, pages)) as book:
            async for some in self._posts(work):
                await asyncio.to_thread(book.write, some)
            book.end(None)
        return book.months

    async def _write(self, archive: ZipFile, name: str, pages: AsyncIterator[list[Record]]) -> None:
        """A JSON list of all that the pages hold."""
        is_first = True
        with archive.open(name, "w", force_zip64=True) as file:
            file.write(b"[")
            async for page in pages:
                lines = ",".join(f"\n{_json(one)}" for one in page)
                start = "" if is_first else ","
                await asyncio.to_thread(file.write, (start + lines).encode())
                is_first = False
            file.write(b"\n]\n")

    async def _posts(self, work: Work) -> AsyncIterator[list[Record]]:
        """What is counted as it goes by: how far the copy is."""
        async for page in self._all(work, queries.posts_after):
            self._done += len(page)
            yield page

    async def _all(self, work: Work, ask: Records) -> AsyncIterator[list[Record]]:
        after = 0
        while True:
            async with self._db.reading() as session:
                page = await ask(session, work.account_id, after)
            if not page:
                return
            yield page
            after = int(page[-1]["id"])
            await self._note(work)

    async def _note(self, work: Work) -> None:
        self.beat()
        tell = time.monotonic() - self._told >= TOLD
        async with self._db.writing() as session:
            if not await actions.note(session, work, self._done, tell=tell):
                raise Lost
        self._told = time.monotonic() if tell else self._told

    async def _keep(self, work: Work, file: IO[bytes]) -> None:
        size = file.seek(0, 2)
        file.seek(0)
        for number, content in enumerate(_parts(file)):
            self.beat()
            async with self._db.writing() as session:
                if not await actions.add_part(session, work, number, content):
                    raise Lost
        async with self._db.writing() as session:
            await actions.finish(session, work, size)


class _Book:
    """Pages of months, one open at a time: posts come in the order of their months."""

    def __init__(self, archive: ZipFile, pages: Pages) -> None:
        self.months: list[Month] = []
        self._archive = archive
        self._pages = pages
        self._page: IO[bytes] | None = None

    def write(self, records: list[Record]) -> None:
        for record in records:
            month = month_of(record["id"])
            if not self.months or self.months[-1].name != month:
                self._turn(month)
            assert self._page is not None  # noqa: S101
            self._page.write(self._pages.post(record).encode())
            self.months[-1] = Month(month, self.months[-1].posts + 1)

    def end(self, following: str | None) -> None:
        """The month that is open."""
        if self._page is not None:
            self._page.write(self._pages.month_foot(following).encode())
            self._page.close()

    def close(self) -> None:
        """Let go of it as it is: no archive closes with a file open in it."""
        if self._page is not None:
            self._page.close()

    def _turn(self, month: str) -> None:
        self.end(month)
        before = self.months[-1].name if self.months else None
        self.months.append(Month(month, 0))
        self._page = self._archive.open(f"posts/{month}.html", "w", force_zip64=True)
        self._page.write(self._pages.month_head(month, before).encode())


def _parts(file: IO[bytes]) -> Iterable[bytes]:
    while content := file.read(PART):
        yield content


def _json(value: Any) -> str:  # noqa: ANN401 - what JSON can say
    return json.dumps(value, ensure_ascii=False)
