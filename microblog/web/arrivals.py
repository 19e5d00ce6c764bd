"""Who comes to open a socket, asked for many at once.

After a restart everybody comes back within seconds.  Who comes while a statement runs waits for the
next one, which asks for all of them: the more come, the less each costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from microblog.kernel.db import FAULTS
from microblog.kernel.model import Session
from microblog.notifications import queries as notifications
from microblog.notifications.queries import Arrival

MOST = 100  # in one statement

Reading: TypeAlias = Callable[[], AbstractAsyncContextManager[Session]]


@dataclass(slots=True, eq=False)
class _Asked:
    token_hash: str
    arrival: Arrival | None = None
    fault: Exception | None = None
    is_answered: bool = False


class Arrivals:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._waiting: list[_Asked] = []
        self._turn = asyncio.Lock()  # first come first served, as they wait

    async def of(self, token_hash: str) -> Arrival | None:
        """As `notifications.queries.arrival`, as things stand from now on."""
        mine = _Asked(token_hash)
        self._waiting.append(mine)
        try:
            async with self._turn:
                if not mine.is_answered:
                    await self._answer(self._waiting[:MOST])
        finally:
            if not mine.is_answered:
                self._waiting.remove(mine)
        if mine.fault is not None:
            raise mine.fault
        return mine.arrival

    async def _answer(self, asked: list[_Asked]) -> None:
        """Whoever's turn it is asks for those behind them, too."""
        found: dict[str, Arrival] = {}
        fault = None
        try:
            async with self._reading() as session:
                found = await notifications.arrivals(session, {one.token_hash for one in asked})
        except FAULTS as error:
            fault = error
        for one in asked:
            one.arrival, one.fault, one.is_answered = found.get(one.token_hash), fault, True
            if one in self._waiting:  # else they have left
                self._waiting.remove(one)
