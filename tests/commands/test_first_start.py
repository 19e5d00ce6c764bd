"""The upgrade of a start: in a process of its own, once, whatever becomes of either."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from microblog.kernel import schema
from tests.faults.database import damage, empty_beside
from tests.process import SiteProcess

ODD = "tests.commands.odd_upgrades"


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[str]:
    async with empty_beside(database_url) as url:
        yield url


@pytest.fixture
def how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOW", str(tmp_path / "how"))
    return tmp_path / "how"


async def test_a_start_killed_while_it_upgrades_leaves_nothing_in_the_way_of_the_next(
    empty: str, how: Path, tmp_path: Path
) -> None:
    killed = SiteProcess(tmp_path / "data", program=ODD, database_url=empty)
    await killed.start()
    begun = await _begun(how)
    await killed.kill()
    again = SiteProcess(tmp_path / "data", port=killed.port, database_url=empty)
    await again.start()
    await _listens(again.port)  # it does so before it looks at the database
    how.write_text("go on")
    try:
        await again.ready()
        await schema.check(empty)
        assert not await damage(empty)
    finally:
        await again.kill()
    assert len(_pids(begun)) == 1


async def test_an_upgrade_that_fails_is_tried_once_and_says_why_once(
    empty: str, how: Path, tmp_path: Path
) -> None:
    how.write_text("fail")
    site = SiteProcess(tmp_path / "data", program=ODD, database_url=empty)
    assert await _ended(await site.start()) == 1
    assert site.said() == "microblog: The disk makes a noise.\n"
    assert len(_pids(how.with_suffix(".begun"))) == 1


async def test_an_upgrade_that_is_killed_ends_the_start(
    empty: str, how: Path, tmp_path: Path
) -> None:
    site = SiteProcess(tmp_path / "data", program=ODD, database_url=empty)
    await site.start()
    (pid,) = _pids(await _begun(how))
    os.kill(pid, signal.SIGKILL)
    assert await _ended(site) == 1
    assert site.said() == "microblog: The migration was ended by SIGKILL.\n"


async def _listens(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def _begun(how: Path) -> Path:
    begun = how.with_suffix(".begun")
    async with asyncio.timeout(30):
        while not (begun.exists() and begun.read_text().endswith("\n")):
            await asyncio.sleep(0.02)
    return begun


def _pids(begun: Path) -> list[int]:
    return [int(line) for line in begun.read_text().split()]


async def _ended(site: SiteProcess) -> int:
    assert site.process is not None
    return await asyncio.wait_for(site.process.wait(), 30)
