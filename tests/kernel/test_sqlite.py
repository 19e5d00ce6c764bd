"""At most one trip to SQLite's thread a statement, and still transactions as they should be."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from threading import current_thread, main_thread

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from microblog.kernel import schema
from microblog.kernel.db import Database

COUNT = text("SELECT count(*) FROM t")
SLOW = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)"
    " SELECT max(i) FROM n"
)


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Database]:
    db = Database(f"sqlite+aiosqlite:///{tmp_path}/t.db", busy_timeout=0.5)
    async with db.writing() as session:
        await session.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, words TEXT)"))
    yield db
    await db.close()


async def count(db: Database) -> int:
    async with db.reading() as session:
        return await session.scalar(COUNT) or 0


async def add(db: Database, *ids: int) -> None:
    async with db.writing() as session:
        rows = [{"id": one, "words": "x" * 1000} for one in ids]
        await session.execute(text("INSERT INTO t VALUES (:id, :words)"), rows)


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(20):
        together = [Database(f"sqlite+aiosqlite:///{tmp_path}/{number}.db") for _ in range(4)]
        assert await asyncio.gather(*(one_in(db) for db in together)) == [1] * 4
        for db in together:
            await db.close()


async def test_schemas_that_open_a_new_file_at_once_hold_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleepers = []
    monkeypatch.setattr(time, "sleep", lambda _: sleepers.append(current_thread()))
    for number in range(20):
        url = f"sqlite+aiosqlite:///{tmp_path}/{number}.db"
        assert await asyncio.gather(*(schema.needs_upgrade(url) for _ in range(4))) == [True] * 4
    assert main_thread() not in sleepers


async def one_in(db: Database) -> int:
    async with db.reading() as session:
        return await session.scalar(text("SELECT 1")) or 0


async def test_what_fails_half_way_leaves_nothing_and_the_next_goes_on(file: Database) -> None:
    with pytest.raises(IntegrityError):
        async with file.writing() as session:
            await session.execute(text("INSERT INTO t VALUES (1, 'a')"))
            await session.execute(text("INSERT INTO t VALUES (1, 'b')"))
    assert await count(file) == 0
    await add(file, 1)
    assert await count(file) == 1


async def test_a_reading_block_sees_one_moment_and_the_next_one_sees_more(file: Database) -> None:
    async with file.reading() as session:
        assert await session.scalar(COUNT) == 0
        await add(file, 1)
        assert await session.scalar(COUNT) == 0
    assert await count(file) == 1


async def test_a_reading_block_cannot_write(file: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        async with file.reading() as session:
            await session.execute(text("INSERT INTO t VALUES (1, 'a')"))
    assert await count(file) == 0


async def test_who_is_cancelled_while_asking_leaves_no_transaction_open(file: Database) -> None:
    async def write() -> None:
        async with file.writing() as session:
            await session.execute(text("INSERT INTO t VALUES (7, 'a')"))
            await session.execute(SLOW)

    async def read() -> None:
        async with file.reading() as session:
            await session.execute(SLOW)

    for cut_off in (write, read, read):
        task = asyncio.create_task(cut_off())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await add(file, 1, 2)
    assert await count(file) == 2


async def test_who_is_cancelled_at_any_point_has_written_all_or_nothing(file: Database) -> None:
    async def write(number: int) -> None:
        async with file.writing() as session:
            await session.execute(text("INSERT INTO t VALUES (:id, 'a')"), {"id": number})
            await session.execute(text("INSERT INTO t VALUES (:id, 'b')"), {"id": -number})

    for number in range(1, 60):
        task = asyncio.create_task(write(number))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        async with file.reading() as session:
            both = text("SELECT count(*) FROM t WHERE id IN (:id, -:id)")
            assert await session.scalar(both, {"id": number}) in (0, 2)
    await add(file, 1000)


async def test_many_rows_come_whole(file: Database) -> None:
    await add(file, *range(5000))
    async with file.reading() as session:
        found = (await session.execute(text("SELECT id, words FROM t ORDER BY id"))).all()
    assert [row.id for row in found] == list(range(5000))


async def test_a_lock_of_another_process_is_told_after_the_patience(
    file: Database, tmp_path: Path
) -> None:
    other = Database(f"sqlite+aiosqlite:///{tmp_path}/t.db")
    async with other.writing() as session:
        await session.execute(text("INSERT INTO t VALUES (1, 'a')"))
        with pytest.raises(OperationalError, match="locked"):
            await add(file, 2)
    await add(file, 2)
    assert await count(file) == 2
    await other.close()


async def longest_pause(asking: Awaitable[object]) -> float:
    """How long everybody else in the process was held up, in seconds, while `asking` went on."""
    task, longest = asyncio.ensure_future(asking), 0.0
    while not task.done():
        before = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - before)
    task.result()
    return longest


async def is_a_trip(session: AsyncSession, statement: TextClause, **values: object) -> bool:
    """Whether others had a turn meanwhile."""
    others = asyncio.Event()
    asyncio.get_running_loop().call_soon(others.set)
    await session.execute(statement, values)
    return others.is_set()


async def until_it_is_none(asking: Callable[[], Awaitable[bool]]) -> None:
    """A statement that waited for a core looks as slow as a slow one."""
    async with asyncio.timeout(20):
        while await asking():
            await asyncio.sleep(0.01)


async def test_a_short_read_is_answered_where_it_is_asked(file: Database) -> None:
    async def reading() -> bool:
        async with file.reading() as session:
            await session.scalar(COUNT)
            return await is_a_trip(session, COUNT)

    await until_it_is_none(reading)


async def test_what_was_held_up_once_is_soon_answered_where_it_is_asked_again(
    file: Database,
) -> None:
    size = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :size)"
                " SELECT max(i) FROM n")  # fmt: skip

    async def reading(number: int) -> bool:
        async with file.reading() as session:
            await session.scalar(COUNT)
            return await is_a_trip(session, size, size=number)

    assert await reading(3_000_000)
    await until_it_is_none(partial(reading, 10))


async def test_a_long_read_goes_on_beside_everybody_else_in_the_same_moment(file: Database) -> None:
    both = text(f"SELECT ({SLOW}), ({COUNT})")

    async def read(session: AsyncSession) -> None:
        assert (await session.execute(both)).one() == (3_000_000, 1)

    shares = []
    await add(file, 1)
    for _ in range(3):  # found out, then known
        async with file.reading() as session:
            assert await session.scalar(COUNT) == 1
            async with file.writing() as writer:
                await writer.execute(text("DELETE FROM t"))
            began = time.perf_counter()
            pause = await longest_pause(read(session))
            shares.append(pause / (time.perf_counter() - began))
        await add(file, 1)
    assert sorted(shares)[1] < 1 / 2  # in one, the machine itself may have stood still


async def test_many_rows_in_one_statement_are_added_beside_everybody_else(file: Database) -> None:
    """And a few are added where it is asked: most of what is written is a row or two."""
    added = 0

    async def adding(rows: int) -> bool:
        nonlocal added
        names = ", ".join(f"({added + n}, :words{n})" for n in range(rows))
        added += rows
        async with file.writing() as session:
            assert await session.scalar(COUNT) == added - rows
            words = {f"words{n}": "x" * 1000 for n in range(rows)}
            return await is_a_trip(session, text(f"INSERT INTO t VALUES {names}"), **words)

    assert await adding(1000)
    await until_it_is_none(partial(adding, 3))
    assert await count(file) == added


async def test_a_text_that_cannot_be_read_is_told_as_what_it_is(file: Database) -> None:
    async with file.writing() as session:
        await session.execute(text("INSERT INTO t VALUES (1, CAST(x'ff' AS TEXT))"))
    for _ in range(2):
        with pytest.raises(OperationalError, match="UTF-8"):
            async with file.reading() as session:
                await session.scalar(text("SELECT words FROM t"))
    assert await count(file) == 1


async def test_a_long_question_of_a_writer_undoes_nothing_it_wrote(file: Database) -> None:
    async with file.writing() as session:
        await session.execute(text("INSERT INTO t VALUES (1, 'a')"))
        assert await session.scalar(SLOW) == 3_000_000
        await session.execute(text("INSERT INTO t VALUES (2, 'b')"))
    assert await count(file) == 2


async def test_a_file_held_by_somebody_else_holds_up_nobody_but_the_reader(
    file: Database, tmp_path: Path
) -> None:
    await file.close()
    holder = sqlite3.connect(tmp_path / "t.db")
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("INSERT INTO t VALUES (1, 'a')")
    holder.commit()
    other = Database(f"sqlite+aiosqlite:///{tmp_path}/t.db", busy_timeout=0.5)

    async def refused() -> None:
        with pytest.raises(OperationalError, match="locked"):
            await count(other)

    shares = []
    for _ in range(3):
        began = time.perf_counter()
        pause = await longest_pause(refused())
        waited = time.perf_counter() - began
        assert waited > 0.4
        shares.append(pause / waited)
    assert sorted(shares)[1] < 1 / 2  # in one, the machine itself may have stood still
    holder.close()
    assert await count(other) == 1
    await other.close()
