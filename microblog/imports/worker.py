"""Brings in what was sent, beside everything else: a bite, a pause as long, the next bite.

What was sent is put together in a file without a name, which is gone with the process, however that
ends; how far it is stands in the database, in the same transaction as each bite.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Set
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import IO

from microblog.imports import actions, queries, reading, taking
from microblog.imports.actions import STAGES, Lost, Work
from microblog.imports.archive import CopyFile
from microblog.imports.model import DONE, FAILED, LIST, UNDOING, UNDONE, Import
from microblog.imports.reading import OldRecord
from microblog.imports.taking import Bite
from microblog.kernel.db import Database
from microblog.kernel.errors import Forbidden, Invalid
from microblog.kernel.leasing import borrowed
from microblog.kernel.model import Session
from microblog.media import actions as pictures
from microblog.media import store, workshop
from microblog.posts import actions as posts

BITE = 20  # posts, or people: some milliseconds each, in which nobody else writes
TOLD = 1.0  # seconds between two words about how far it is
LONGEST_REST = 0.5


class Importer:
    """`step` goes on with one import, if one waits.  `hosts` are the names of this site."""

    def __init__(self, db: Database, folder: Path, hosts: Set[str]) -> None:
        self._db = db
        self._folder = folder
        self._hosts = hosts
        self._told = 0.0
        self.beat: Callable[[], None] = lambda: None  # a long step is no dead one

    async def step(self) -> None:
        work = await borrowed(self._db, queries.is_waiting, actions.lease)
        if work is not None:
            with contextlib.suppress(Lost):
                await self._go_on(work)

    async def _go_on(self, work: Work) -> None:
        async with self._db.writing() as session:
            job = await actions.held(session, work)
        try:
            await (self._undo(work) if job.state == UNDOING else self._bring(work, job))
        except (Invalid, Forbidden) as refusal:
            await self._end(work, FAILED, "" if refusal.values else refusal.message)
        else:
            await self._end(work, UNDONE if job.state == UNDOING else DONE)
        more = True
        while more:
            async with self._db.writing() as session:
                more = await actions.forget_parts(session, work.import_id)

    async def _bring(self, work: Work, job: Import) -> None:
        with tempfile.TemporaryFile(dir=self._folder) as file:
            await self._fetch(job, file)
            if job.kind == LIST:
                await self._people(work, job, file.read().decode().split("\n"))
            else:
                await self._stages(work, job, await asyncio.to_thread(CopyFile, file))

    async def _fetch(self, job: Import, file: IO[bytes]) -> None:
        number = 0
        while True:
            async with self._db.reading() as session:
                content = await queries.part(session, job.id, number)
            if content is None:
                break
            await asyncio.to_thread(file.write, content)
            number += 1
        file.seek(0)

    async def _stages(self, work: Work, job: Import, copy: CopyFile) -> None:
        stages = {
            "profile": self._profile, "pictures": self._pictures, "settings": self._settings,
            "follows": self._follows, "posts": self._posts,
        }  # fmt: skip
        for stage in STAGES[job.kind][job.stage :]:
            if stage in job.wanted:
                await stages[stage](work, job, copy)
            async with self._db.writing() as session:
                job = await actions.held(session, work)
                actions.next_stage(job)

    async def _profile(self, work: Work, job: Import, copy: CopyFile) -> None:
        if job.place == 0:
            async with self._bite(work, job.contents["profile"]) as (session, held, bite):
                await taking.profile(session, held, copy, bite)

    async def _settings(self, work: Work, job: Import, copy: CopyFile) -> None:
        if job.place == 0:
            async with self._bite(work, job.contents["settings"]) as (session, held, bite):
                await taking.settings(session, held, copy, bite)

    async def _pictures(self, work: Work, job: Import, copy: CopyFile) -> None:
        for kind in tuple(workshop.SIZES)[job.place :]:
            self.beat()
            await self._picture(work, copy, kind)

    async def _picture(self, work: Work, copy: CopyFile, kind: str) -> None:
        """The files first.  If the row is not written, nobody knows of them and they are swept."""
        made, refusal = await self._made(copy, kind)
        replaced: list[str] = []
        async with self._bite(work, 1) as (session, job, bite):
            if made:
                alt, focus = reading.alt(copy, kind), reading.focus(copy)
                replaced = await pictures.change(session, job.account_id, kind, made, alt, focus)
                bite.count("pictures")
            if refusal:
                bite.refuse(kind, refusal)
        await asyncio.to_thread(store.remove, store.folder(self._folder), replaced)

    async def _made(self, copy: CopyFile, kind: str) -> tuple[str, Invalid | None]:
        """The picture as we keep them, in files that no row names yet; "" if there is none."""
        content = await asyncio.to_thread(copy.picture, kind)
        if content is None:
            return "", None
        try:
            parts = await workshop.make(kind, content)
        except Invalid as refusal:
            return "", refusal
        return await asyncio.to_thread(store.keep, store.folder(self._folder), parts), None

    async def _follows(self, work: Work, job: Import, copy: CopyFile) -> None:
        await self._people(work, job, await asyncio.to_thread(reading.following, copy))

    async def _people(self, work: Work, job: Import, people: list[str]) -> None:
        for start in range(job.place, len(people), BITE):
            some = people[start : start + BITE]
            async with self._bite(work, len(some)) as (session, held, bite):
                await taking.follows(session, held, some, self._hosts, bite)

    async def _posts(self, work: Work, job: Import, copy: CopyFile) -> None:
        source = _Source(copy)
        await asyncio.to_thread(source.skip, job.place)
        taker = taking.Posts(job, self._hosts, source.moved)
        while some := await asyncio.to_thread(source.take, BITE):
            async with self._bite(work, len(some)) as (session, _held, bite):
                await taker.take(session, some, bite)

    async def _undo(self, work: Work) -> None:
        """As if their author deleted them one by one: pages that show them hear of it."""
        more = True
        while more:
            async with self._bite(work, BITE) as (session, job, bite):
                some = await queries.brought(session, job.id, BITE)
                for one in some:
                    await posts.delete(session, job.account_id, one.post_id)
                    await session.delete(one)
                bite.count("undone", len(some))
            more = bool(some)

    @asynccontextmanager
    async def _bite(self, work: Work, steps: int) -> AsyncIterator[tuple[Session, Import, Bite]]:
        """One transaction, in which it is noted how far it is; then others have their turn.

        Raises `Forbidden` for somebody whom moderators have limited meanwhile.
        """
        began, bite = time.monotonic(), Bite()
        async with self._db.writing() as session:
            job = await actions.held(session, work)
            if job.state != UNDOING:
                await actions.refuse_limited(session, job.account_id)
            yield session, job, bite
            tell = time.monotonic() - self._told >= TOLD
            await actions.leave_out(session, job, bite.left)
            await actions.note(session, job, steps, bite.counts, tell=tell)
        self._told = time.monotonic() if tell else self._told
        self.beat()
        await asyncio.sleep(min(time.monotonic() - began, LONGEST_REST))

    async def _end(self, work: Work, state: str, reason: str = "") -> None:
        async with self._db.writing() as session:
            await actions.end(session, await actions.held(session, work), state, reason)


class _Source:
    """Posts of a copy in order, and which of them that copy's site had from another one."""

    def __init__(self, copy: CopyFile) -> None:
        self.moved: dict[str, tuple[str, str]] = {}
        self._records = self._read(copy)

    def skip(self, number: int) -> None:
        for _ in islice(self._records, number):
            pass

    def take(self, number: int) -> list[OldRecord | None]:
        return list(islice(self._records, number))

    def _read(self, copy: CopyFile) -> Iterator[OldRecord | None]:
        for raw in copy.posts():
            one = reading.record(raw, copy.host)
            if one and (one.host, one.id) != (copy.host, one.number):
                self.moved[one.number] = (one.host, one.id)
            yield one
