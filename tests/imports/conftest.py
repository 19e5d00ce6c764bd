from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from microblog.imports import actions, queries, reading, worker
from microblog.imports.actions import CHOICES
from microblog.imports.archive import CopyFile
from microblog.imports.model import Import, LeftOut
from microblog.imports.worker import Importer
from microblog.kernel.db import Database
from microblog.media import store
from tests.posts.stage import Stage

HERE = "here.example"
ALL = tuple(choice for choice in CHOICES if choice not in ("same_names", "answers"))


@dataclass
class Mover:
    """Somebody who brings along what they had."""

    db: Database
    importer: Importer
    account_id: int

    async def offers(self, file: io.BytesIO) -> int:
        copy = CopyFile(file)
        async with self.db.writing() as session:
            made = await actions.offer(session, self.account_id, reading.contents(copy), copy.host)
            await actions.add_part(session, made.id, 0, file.getvalue())
            await actions.arrived(session, self.account_id, made.id)
            return made.id

    async def begins(self, import_id: int, wanted: tuple[str, ...] = ALL) -> None:
        async with self.db.writing() as session:
            await actions.begin(session, self.account_id, import_id, wanted)

    async def brings(self, file: io.BytesIO, wanted: tuple[str, ...] = ALL) -> Import:
        """From the offer to the report."""
        import_id = await self.offers(file)
        await self.begins(import_id, wanted)
        await self.importer.step()
        return await self.report(import_id)

    async def report(self, import_id: int) -> Import:
        async with self.db.reading() as session:
            return await queries.own(session, self.account_id, import_id)

    async def left_out(self, import_id: int) -> list[tuple[str, str]]:
        async with self.db.reading() as session:
            rows = await session.scalars(
                select(LeftOut).where(LeftOut.import_id == import_id).order_by(LeftOut.number)
            )
            return [(row.what, row.why) for row in rows]

    async def undoes(self, import_id: int) -> Import:
        async with self.db.writing() as session:
            await actions.undo(session, self.account_id, import_id)
        await self.importer.step()
        return await self.report(import_id)

    async def lapse(self) -> None:
        """The worker that was at it has died."""
        async with self.db.writing() as session:
            await session.execute(update(Import).values(leased_until=None))


@pytest.fixture
async def mover(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Mover]:
    monkeypatch.setattr(worker, "LONGEST_REST", 0.0)
    folder = tmp_path / "bringing"
    store.folder(folder).mkdir(parents=True)
    yield Mover(stage.db, Importer(stage.db, folder, {HERE}), await stage.person("ada"))
    assert [path.name for path in folder.iterdir()] == ["media"]
