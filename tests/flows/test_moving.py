"""A copy goes into a real site: without filling its memory, and through kill -9 in the middle."""

from __future__ import annotations

import asyncio
import re
import secrets
import zipfile
from pathlib import Path
from zipfile import ZipFile

from sqlalchemy import func, select, update

from microblog.imports.model import BroughtPost, Import
from microblog.kernel.db import Database
from microblog.posts.model import Post
from tests.imports.copies import answer, copy, post
from tests.person import Person, token_in
from tests.process import SiteProcess

POSTS = 200  # ten bites of an importer, so that one can be killed between two
MIB = 1024 * 1024
WEIGHT = 24  # MiB
MORE_MEMORY = 16  # MiB, while they come and are stored


def large_copy(path: Path) -> None:
    """Of little worth and much weight: what does not get smaller by packing."""
    path.write_bytes(copy([post(1), *(answer(n, n - 1) for n in range(2, POSTS + 1))]).getvalue())
    with ZipFile(path, "a", zipfile.ZIP_STORED) as file:
        for number in range(WEIGHT):
            file.writestr(f"media/{number}", secrets.token_bytes(MIB))


async def sends(ada: Person, path: Path) -> str:
    token = token_in((await ada.http.get("/settings/import")).text)
    with path.open("rb") as file:
        answered = await ada.http.post(
            "/settings/import/archive", data={"csrf_token": token},
            files={"archive": ("copy.zip", file, "application/zip")}, timeout=60,
        )  # fmt: skip
    assert answered.status_code == 303, answered.text[:1000]
    return answered.headers["location"]


async def brought(db: Database) -> int:
    async with db.reading() as session:
        return await session.scalar(select(func.count()).select_from(BroughtPost)) or 0


async def test_a_large_copy_is_brought_in_once_through_kill_9(
    site_process: SiteProcess, database_url: str, tmp_path: Path
) -> None:
    large_copy(tmp_path / "copy.zip")
    db = Database(database_url)
    async with Person(site_process.url, "ada") as ada:
        await ada.register()
        before = site_process.rss_mib()
        there = await sends(ada, tmp_path / "copy.zip")
        more = site_process.rss_mib() - before
        print(f"{WEIGHT} MiB came, and {more:.0f} MiB more memory is in use, of {MORE_MEMORY}")
        assert more < MORE_MEMORY
        page = await ada.page(there)
        assert f"{POSTS} posts" in page
        token = token_in(page)
        await ada.http.post(there, data={"csrf_token": token, "posts": "on"})
        async with asyncio.timeout(60):
            while not await brought(db):
                await asyncio.sleep(0.01)
        await site_process.kill()
        assert await brought(db) < POSTS
        async with db.writing() as session:  # its lease would run out in a minute
            await session.execute(update(Import).values(leased_until=None))
        await (await site_process.start()).ready()
        async with asyncio.timeout(60):
            while "brought along" not in (report := await ada.page(there)):
                await asyncio.sleep(0.1)
    assert re.search(rf"\b{POSTS} posts brought along", report)
    async with db.reading() as session:
        said = list(await session.scalars(select(Post.body).order_by(Post.id)))
        root = await session.scalar(select(func.count(Post.root_id.distinct())))
    assert said == [f"number {n}" for n in range(1, POSTS + 1)]
    assert root == 1
    await db.close()
