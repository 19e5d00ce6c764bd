"""Questions that are asked at once are answered at once."""

from __future__ import annotations

import asyncio

import pytest

from microblog.kernel.db import PoolTimeout
from microblog.kernel.together import MOST, Together


class Oracle:
    """Answers with twice the number, as soon as it may."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may = asyncio.Event()
        self.may.set()

    async def ask(self, numbers: list[int]) -> list[int]:
        self.asked.append(numbers)
        await asyncio.sleep(0)
        await self.may.wait()
        if 13 in numbers:
            raise ZeroDivisionError
        if 0 in numbers:
            raise PoolTimeout("away")
        return [2 * number for number in numbers]


async def test_who_asks_meanwhile_is_answered_with_the_next() -> None:
    oracle = Oracle()
    together = Together(oracle.ask)
    found = await asyncio.gather(*map(together.answer, range(1, 8)))
    assert found == [2, 4, 6, 8, 10, 12, 14]
    assert oracle.asked == [[1], [2, 3, 4, 5, 6, 7]]


async def test_so_many_at_once_and_no_more() -> None:
    oracle = Oracle()
    together = Together(oracle.ask)
    count = 2 * MOST + 100
    await asyncio.gather(*map(together.answer, range(100, 100 + count)))
    assert [len(each) for each in oracle.asked] == [1, MOST, MOST, 99]


async def test_what_is_far_from_the_first_waits_for_its_own_turn() -> None:
    oracle = Oracle()
    together = Together(oracle.ask, lambda first, other: abs(first - other) < 5)
    found = await asyncio.gather(*map(together.answer, [50, 1, 90, 2, 91, 3]))
    assert found == [100, 2, 180, 4, 182, 6]
    assert oracle.asked == [[50], [1, 2, 3], [90, 91]]


async def test_an_error_is_told_to_whom_it_is_about_and_to_who_asked_for_them() -> None:
    oracle = Oracle()
    together = Together(oracle.ask)
    asked = map(together.answer, [1, 2, 13, 4, 5])
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in found] == [int, ZeroDivisionError, ZeroDivisionError, int, int]
    assert oracle.asked == [[1], [2, 13, 4, 5], [13], [4], [5]]


async def test_a_database_that_is_away_is_told_to_all_at_once() -> None:
    oracle = Oracle()
    together = Together(oracle.ask)
    found = await asyncio.gather(*map(together.answer, [1, 2, 0, 4]), return_exceptions=True)
    assert [type(one) for one in found] == [int, PoolTimeout, PoolTimeout, PoolTimeout]
    assert len(oracle.asked) == 2
    assert await together.answer(5) == 10


@pytest.mark.parametrize("leaving", [(0,), (1,), (0, 1), (1, 2), (0, 1, 2), (3,), (0, 1, 2, 3)])
@pytest.mark.parametrize("turns", [1, 2, 3, 4])
async def test_whoever_leaves_keeps_nobody_waiting(leaving: tuple[int, ...], turns: int) -> None:
    """Before they are asked for, while, and just as it is their turn."""
    oracle = Oracle()
    oracle.may.clear()
    together = Together(oracle.ask)
    tasks = [asyncio.ensure_future(together.answer(number)) for number in (1, 2, 3, 4)]
    for turn in range(turns):
        if turn == 2:
            oracle.may.set()
        await asyncio.sleep(0)
    for number in leaving:
        tasks[number].cancel()
    oracle.may.set()
    async with asyncio.timeout(10):
        found = await asyncio.gather(*tasks, return_exceptions=True)
        for number, one in enumerate(found):
            if number not in leaving:
                assert one == 2 * (number + 1)
        assert await together.answer(7) == 14
    assert not together._waiting
    assert together._turn is None
