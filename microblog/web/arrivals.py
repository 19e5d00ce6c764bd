"""Who comes to open a socket, asked for many at once: after a restart everybody comes back within
seconds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from microblog.kernel.model import Session
from microblog.kernel.together import Together
from microblog.notifications import queries as notifications
from microblog.notifications.queries import Arrival

Reading: TypeAlias = Callable[[], AbstractAsyncContextManager[Session]]


class Arrivals:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._together = Together(self._found)

    async def of(self, token_hash: str) -> Arrival | None:
        """As `notifications.queries.arrival`, as things stand from now on."""
        return await self._together.answer(token_hash)

    async def _found(self, token_hashes: list[str]) -> list[Arrival | None]:
        async with self._reading() as session:
            found = await notifications.arrivals(session, set(token_hashes))
        return [found.get(token_hash) for token_hash in token_hashes]
