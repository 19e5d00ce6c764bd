"""`microblog copy`: everything arrives, or nothing does."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from microblog.__main__ import INTERRUPTED
from microblog.accounts.model import Account
from microblog.commands.progress import Bar
from microblog.kernel import events, transfer
from microblog.kernel.db import FAULTS, Database
from microblog.kernel.readers import DeadLetter
from microblog.kernel.transfer import TransferError
from tests.commands.conftest import Microblog, contents, lively, next_ids, rows
from tests.databases import Databases
from tests.person import Person, Reader, position_in
from tests.posts.stage import Stage
from tests.process import ROOT, SiteProcess


@pytest.fixture
async def lite(databases: Databases, tmp_path: Path) -> AsyncIterator[str]:
    """A lively site on SQLite."""
    (tmp_path / "lite").mkdir()
    async with databases.new("sqlite", tmp_path / "lite") as url:
        await lively(url)
        yield url


@pytest.fixture
async def server(databases: Databases, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database on PostgreSQL."""
    async with databases.new("postgresql", tmp_path) as url:
        yield url


def back(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'back.db'}"


async def test_a_site_moves_to_postgresql_and_back(
    microblog: Microblog, lite: str, server: str, tmp_path: Path
) -> None:
    there = await microblog("copy", "--to", server, database_url=lite)
    assert there.status == 0, there.err
    assert "MICROBLOG_DATABASE_URL=postgresql" in there.out
    assert "posts" in there.out
    again = await microblog("copy", "--to", back(tmp_path), database_url=server)
    assert again.status == 0, again.err
    assert await rows(lite) == await rows(server) == await rows(back(tmp_path))
    # No number is drawn twice, although the row that had the highest is gone.
    drawn = [await next_ids(url) for url in (lite, server, back(tmp_path))]
    assert drawn[0] == drawn[1] == drawn[2]


async def test_an_event_id_is_not_used_again_after_the_whole_log_was_trimmed(
    lite: str, server: str
) -> None:
    source, target = Database(lite), Database(server)
    async with source.writing() as session:
        highest = await events.latest_id(session) + 1  # one more was drawn and is gone
        connection = await session.connection()
        await connection.exec_driver_sql("DELETE FROM events")
    async with transfer.held_still(source) as old, target.writing() as new:
        await transfer.replace(old, new)
    await source.close()
    await target.close()
    assert (await next_ids(server))[0] > highest


async def test_a_database_that_holds_a_site_is_refused_and_stays_as_it_is(
    microblog: Microblog, lite: str, server: str
) -> None:
    db = Database(server)
    await Stage(db).person("zoe")
    await db.close()
    before = await rows(server)
    said = await microblog("copy", "--to", server, database_url=lite)
    assert said.status == 1
    assert "not empty (accounts)" in said.err
    assert await rows(server) == before


async def test_a_site_of_an_older_version_is_refused_and_not_brought_up(
    microblog: Microblog, lite: str, tmp_path: Path
) -> None:
    file = tmp_path / "older.db"
    with closing(sqlite3.connect(file)) as older, older:
        older.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        older.execute("INSERT INTO alembic_version VALUES ('0001')")
    said = await microblog("copy", "--to", f"sqlite+aiosqlite:///{file}", database_url=lite)
    assert said.status == 1
    assert "is of an older version. Make a new database" in said.err
    with closing(sqlite3.connect(file)) as older:
        assert older.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert older.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


async def test_one_that_was_started_and_never_used_is_taken(
    microblog: Microblog, lite: str, server: str
) -> None:
    db = Database(server)
    async with db.writing() as session:
        await events.ensure_epoch(session)
    await db.close()
    assert (await microblog("copy", "--to", server, database_url=lite)).status == 0
    assert await contents(server) == await contents(lite)


async def test_a_copy_that_is_cut_off_leaves_nothing(lite: str, server: str) -> None:
    def cut_off(table: str, _done: int, _total: int) -> None:
        if table == "posts":
            raise KeyboardInterrupt

    source, target = Database(lite), Database(server)
    with pytest.raises(KeyboardInterrupt):
        async with transfer.held_still(source) as old, target.writing() as new:
            await transfer.replace(old, new, cut_off)
    async with target.reading() as session:
        assert await transfer.filled(session) == []
    await source.close()
    await target.close()


async def test_one_that_is_interrupted_is_no_success(
    microblog: Microblog, lite: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a script does next, such as starting the site on the copy, must not be done."""

    def interrupt(*_: object) -> None:  # Ctrl+C while the first rows are on their way
        raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "__call__", interrupt)
    said = await microblog("copy", "--to", server, database_url=lite)
    assert said.status == INTERRUPTED
    assert said.err.strip() == "microblog: Interrupted"
    assert not [name for name, each in (await contents(server)).items() if each.rows]


async def test_a_second_interruption_ends_what_waits_for_somebody_else(
    lite: str, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
        "MICROBLOG_DATABASE_URL": lite, "MICROBLOG_DATA_DIR": str(tmp_path / "data"),
    }  # fmt: skip
    told = tmp_path / "told"
    waits = f"from pathlib import Path; Path({str(told)!r}).touch()"
    program = (  # which hears of it, even where this one was started not to
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from microblog.kernel import schema; from microblog.__main__ import main\n"
        f"check = schema.check\nasync def told(url):\n    {waits}\n    await check(url)\n"
        f"schema.check = told; sys.exit(main(['copy', '--to', {back(tmp_path)!r}]))"
    )
    with closing(sqlite3.connect(lite.removeprefix("sqlite+aiosqlite:///"))) as holder:
        holder.isolation_level = None
        holder.execute("BEGIN IMMEDIATE")
        command = (sys.executable, "-c", program)
        copying = await asyncio.create_subprocess_exec(*command, env=environment)
        try:
            async with asyncio.timeout(60):
                while not told.exists():
                    await asyncio.sleep(0.01)
            async with asyncio.timeout(20):  # it would wait 30 s for the lock
                while copying.returncode is None:
                    await asyncio.sleep(0.5)
                    with suppress(ProcessLookupError):
                        copying.send_signal(signal.SIGINT)
            assert copying.returncode in (-signal.SIGINT, INTERRUPTED)
        finally:
            with suppress(ProcessLookupError):
                copying.kill()
            await copying.wait()


async def test_a_replacement_that_is_cut_off_leaves_the_site_as_it_was(
    lite: str, database_url: str
) -> None:
    def cut_off(table: str, _done: int, _total: int) -> None:
        if table == "posts":
            raise KeyboardInterrupt

    source, target = Database(lite), Database(database_url)
    await Stage(target).says(await Stage(target).person("zoe"))
    before = await rows(database_url)
    with pytest.raises(KeyboardInterrupt):
        async with transfer.snapshot(source) as old, target.writing() as new:
            await transfer.replace(old, new, cut_off)
    await source.close()
    await target.close()
    assert await rows(database_url) == before


async def test_what_postgresql_cannot_hold_is_named_without_its_words(
    microblog: Microblog, lite: str, server: str
) -> None:
    db = Database(lite)
    async with db.writing() as session:
        await session.execute(update(Account).values(role="a role longer than sixteen letters"))
    await db.close()
    said = await microblog("copy", "--to", server, database_url=lite)
    assert said.status == 1
    assert "A row of accounts is refused" in said.err
    assert "longer than sixteen" not in said.err


async def test_nul_is_left_out_where_the_target_cannot_keep_it(
    microblog: Microblog, lite: str, server: str
) -> None:
    db = Database(lite)
    async with db.writing() as session:
        await session.execute(update(DeadLetter).values(traceback="a\0b"))
    await db.close()
    assert (await microblog("copy", "--to", server, database_url=lite)).status == 0
    db = Database(server)
    async with db.reading() as session:
        assert await session.scalar(select(DeadLetter.traceback)) == "ab"
    await db.close()


async def test_nobody_can_write_while_it_is_held_still(database_url: str) -> None:
    db, other = Database(database_url), Database(database_url, busy_timeout=0.2)
    async with transfer.held_still(db) as session:
        with pytest.raises(FAULTS):
            await Stage(other).person("late")
        with pytest.raises(FAULTS):
            async with other.writing_beside() as beside:
                beside.add(Account(name="late", name_key="late"))
                await beside.flush()
        assert await session.scalar(select(func.count()).select_from(Account)) == 0
    await db.close()
    await other.close()


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("mysql://x/y", "must look like"),
        ("postgresql://u:geheim@127.0.0.1:1/none", "does not answer"),
    ],
)
async def test_a_target_that_cannot_be_used_is_said_in_one_line(
    microblog: Microblog, lite: str, target: str, why: str
) -> None:
    said = await microblog("copy", "--to", target, database_url=lite)
    assert said.status == 1
    assert why in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert "geheim" not in said.err + said.out


async def test_without_a_site_here_nothing_is_made(microblog: Microblog, tmp_path: Path) -> None:
    said = await microblog("copy", "--to", back(tmp_path))
    assert "There is no site here" in said.err
    assert not (tmp_path / "data").exists()


async def test_the_database_it_has_now_is_no_target(microblog: Microblog, lite: str) -> None:
    for target in (lite, lite.replace("/lite/", "/lite/../lite/")):
        assert "has now" in (await microblog("copy", "--to", target, database_url=lite)).err


async def test_open_pages_go_on_where_they_were(
    microblog: Microblog, databases: Databases, server: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    async with SiteProcess(data, confirm_email="off") as site, Person(site.url, "ada") as ada:
        await ada.register()
        reader = Reader(ada, position=position_in(await ada.page("/")))
        async with reader.listening():
            first = await ada.post("before")
            await reader.until(lambda r: r.inserted() == [first])
        said = await microblog("copy", "--to", server)
        assert "The site is running" in said.out
        await site.stop()
        moved = SiteProcess(data, port=site.port, confirm_email="off", database_url=server)
        async with moved, reader.listening():
            second = await ada.post("after")
            await reader.until(lambda r: r.inserted() == [first, second])
            assert reader.resets == 0


async def test_what_arrives_changed_is_noticed(lite: str, server: str) -> None:
    """By breaking what was written just before it is read back."""
    source, target = Database(lite), Database(server)

    async def change_a_word(new: object) -> transfer.Sums:
        await target_session.execute(update(Account).values(bio="forged"))
        return await honest(new)  # type: ignore[arg-type]

    honest = transfer.sums
    with pytest.MonkeyPatch.context() as patch, pytest.raises(TransferError, match="accounts"):
        patch.setattr(transfer, "sums", change_a_word)
        async with transfer.held_still(source) as old, target.writing() as target_session:
            await transfer.replace(old, target_session)
    await source.close()
    await target.close()
