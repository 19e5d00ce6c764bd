"""Sockets that come at once are looked up together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from microblog.kernel import tokens
from microblog.kernel.db import PoolTimeout
from microblog.kernel.model import Session
from microblog.web.arrivals import Arrivals
from tests.flows.test_statements import statements
from tests.world import World


async def test_who_comes_together_is_asked_for_together(world: World) -> None:
    people = [await world.person(f"person{number}") for number in range(5)]
    arrivals = Arrivals(world.db.reading)
    hashes = [tokens.digest(person.token or "") for person in people]
    await asyncio.gather(*map(arrivals.of, hashes))  # so that there is a connection
    with statements(world.db) as asked:
        found = await asyncio.gather(*map(arrivals.of, [*hashes, "unknown", *hashes]))
    names = [one.viewer.name if one else None for one in found]
    expected = [person.name for person in people]
    assert names == [*expected, None, *expected]
    assert len(asked) <= 2, asked


async def test_who_leaves_meanwhile_is_not_waited_for(world: World) -> None:
    ada = await world.person("ada")
    arrivals = Arrivals(world.db.reading)
    token_hash = tokens.digest(ada.token or "")
    tasks = [asyncio.ensure_future(arrivals.of(token_hash)) for _ in range(4)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[2].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert [one.viewer.name for one in (found[1], found[3])] == ["ada", "ada"]  # type: ignore[union-attr]
    assert not arrivals._together._waiting


async def test_a_database_that_is_away_is_told_to_everybody_at_once(world: World) -> None:
    tries = 0

    @asynccontextmanager
    async def away() -> AsyncIterator[Session]:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        raise PoolTimeout("away")
        yield

    arrivals = Arrivals(away)
    found = await asyncio.gather(*map(arrivals.of, "abc"), return_exceptions=True)
    assert [type(one) for one in found] == [PoolTimeout] * 3
    assert tries == 2  # the first had gone ahead
    with pytest.raises(PoolTimeout):
        await arrivals.of("d")
