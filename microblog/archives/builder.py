"""Makes copies beside everything else: a page of posts read, a page packed, a pause.

What is packed goes to a file without a name, which is gone with the process, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from microblog.archives import actions, queries, reading
from microblog.archives.actions import PART, Work
from microblog.archives.queries import Record
from microblog.kernel.db import Database
from microblog.kernel.i18n import DEFAULT
from microblog.media import actions as pictures
from microblog.media import store

FORMAT = 1
MASTODON_HEAD = "Account address,Show boosts,Notify on new posts,Languages"


class Lost(Exception):
    """Somebody else has taken over, or its owner has asked anew."""


class Builder:
    """`step` makes one copy, if one is wanted.  `host` is what names are written with."""

    def __init__(self, db: Database, folder: Path, host: str) -> None:
        self._db = db
        self._folder = folder
        self._host = host
        self.beat: Callable[[], None] = lambda: None  # a long step is no dead one

    async def step(self) -> None:
        async with self._db.reading() as session:
            if not await queries.is_waiting(session):
                return
        async with self._db.writing() as session:
            work = await actions.lease(session)
        if work is None:
            return
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                await self._pack(work, file)
                await self._keep(work, file)
        except Lost:
            return

    async def _pack(self, work: Work, file: IO[bytes]) -> None:
        async with self._db.reading() as session:
            person = await queries.person(session, work.account_id)
        language = person["settings"]["language"] or DEFAULT
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.writestr("person.json", _json({"format": FORMAT, "host": self._host, **person}))
            archive.writestr("following.csv", await self._following(work))
            await self._pictures(work, archive)
            await self._write(archive, "notifications.json", self._notifications(work))
            total = await self._write(archive, "posts.json", self._posts(work))
            head = reading.head(person["profile"], total, language)
            with archive.open("index.html", "w", force_zip64=True) as page:
                page.write(head.encode())
                async for some in self._posts(work):
                    drawn = "".join(reading.post(one, language) for one in some)
                    await asyncio.to_thread(page.write, drawn.encode())
                page.write(reading.FOOT.encode())

    async def _pictures(self, work: Work, archive: ZipFile) -> None:
        """In every size in which they are shown; what they were made from is not kept."""
        async with self._db.reading() as session:
            names = await pictures.shown_of(session, work.account_id)
        for name in names:
            path = store.folder(self._folder) / name
            with contextlib.suppress(OSError):  # just replaced
                archive.writestr(f"media/{name}", await asyncio.to_thread(path.read_bytes))

    async def _write(self, archive: ZipFile, name: str, pages: AsyncIterator[list[Record]]) -> int:
        """A JSON list of all that the pages hold; how many."""
        written = 0
        with archive.open(name, "w", force_zip64=True) as file:
            file.write(b"[")
            async for page in pages:
                lines = ",".join(f"\n{_json(one)}" for one in page)
                start = "," if written else ""
                await asyncio.to_thread(file.write, (start + lines).encode())
                written += len(page)
            file.write(b"\n]\n")
        return written

    async def _posts(self, work: Work) -> AsyncIterator[list[Record]]:
        after = done = 0
        while True:
            async with self._db.reading() as session:
                page = await queries.posts_after(session, work.account_id, after)
            if not page:
                return
            yield page
            after, done = int(page[-1]["id"]), done + len(page)
            await self._note(work, done)

    async def _notifications(self, work: Work) -> AsyncIterator[list[Record]]:
        after = 0
        while True:
            async with self._db.reading() as session:
                page = await queries.notifications_after(session, work.account_id, after)
            if not page:
                return
            yield page
            after = page[-1]["id"]
            await self._note(work, 0)

    async def _following(self, work: Work) -> str:
        """In the form that Mastodon takes, too.  Names have letters, digits and underscores only,
        so no program that opens the list takes one for a formula."""
        lines, after = [MASTODON_HEAD], 0
        while True:
            async with self._db.reading() as session:
                page = await queries.following_after(session, work.account_id, after)
            if not page:
                return "\r\n".join([*lines, ""])
            lines += [f"{name}@{self._host},true,false," for _, name in page]
            after = page[-1][0]
            await self._note(work, 0)

    async def _note(self, work: Work, done: int) -> None:
        self.beat()
        async with self._db.writing() as session:
            if not await actions.note(session, work, done):
                raise Lost

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


def _parts(file: IO[bytes]) -> Iterable[bytes]:
    while content := file.read(PART):
        yield content


def _json(value: Any) -> str:  # noqa: ANN401 - what JSON can say
    return json.dumps(value, ensure_ascii=False)
