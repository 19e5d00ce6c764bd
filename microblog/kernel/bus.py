"""An optional broker (NATS) in place of the database's doorbell, for very many processes.

Each commit is told under the subjects of what it recorded (`Event.subject`), and a process asks
only for the subjects that somebody there is interested in, so it sleeps through the rest.  What
travels is empty: a hint to look into the log.  Nothing is kept for a broker that is away; every
follower of the log looks by itself once a second, so its absence costs a second and no event.

NOTIFY has one queue per server, and commits that use it take turns at it; every process hears
each of them.  `docs/scale.md` has the figures.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from microblog.kernel import later
from microblog.kernel.later import Later

if TYPE_CHECKING:
    from nats import errors
    from nats.aio import client as nats
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
else:
    errors, nats = Later("nats.errors"), Later("nats.aio.client")

log = logging.getLogger(__name__)

EVERYTHING = ">"
ROOM = 10_000  # subjects waiting to be told; what is over was a hint anyway
PAUSE = 0.5  # seconds between two looks at what is of interest
AGAIN = 1.0  # seconds until a broker that refused us is asked again

Interests: TypeAlias = Callable[[], Awaitable[Iterable[str]]]


class Bus:
    """`tell` after a commit; `listen` until cancelled."""

    def __init__(self, url: str, ring: Callable[[], None], interests: Interests) -> None:
        self.url = url
        self._ring = ring
        self._interests = interests
        self._telling: asyncio.Queue[str] = asyncio.Queue(ROOM)
        self._asked: dict[str, Subscription] = {}
        self.is_there = False
        self.is_away = False  # neither, until it was first asked

    def tell(self, subjects: Iterable[str]) -> None:
        """Never waits and never fails."""
        for subject in subjects if self.is_there else ():
            if not self._telling.full():
                self._telling.put_nowait(f"microblog.{subject}")

    async def listen(self) -> None:
        """Ring for what others tell.  A broker that is away, or comes back, is waited for."""
        await later.load("nats.aio.client")
        while True:
            try:
                await self._listen()
            except* errors.Error as failures:
                log.warning("The bus: %r", failures.exceptions)
                self.is_away = True
            await asyncio.sleep(AGAIN)

    async def _listen(self) -> None:
        """Until the broker says why it wants nothing more of us, after which a client does not
        connect again by itself."""
        client = nats.Client()
        try:
            await client.connect(
                self.url, name="microblog", no_echo=True, allow_reconnect=True,
                max_reconnect_attempts=-1, reconnect_time_wait=1, connect_timeout=2,
                ping_interval=10, error_cb=self._trouble, disconnected_cb=self._lost,
                reconnected_cb=self._back,
            )  # fmt: skip
            await self._back()
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(self._keep_telling(client))
                await self._keep_asking(client)
                telling.cancel()
        finally:
            self.is_there = False
            self._asked.clear()
            await client.close()

    async def _keep_telling(self, client: Client) -> None:
        while True:
            subject = await self._telling.get()
            if client.is_connected:
                await client.publish(subject)

    async def _keep_asking(self, client: Client) -> None:
        while not client.is_closed:
            if client.is_connected:
                await self._ask(client, {f"microblog.{each}" for each in await self._interests()})
            await asyncio.sleep(PAUSE)

    async def _ask(self, client: Client, wanted: set[str]) -> None:
        for subject in wanted - self._asked.keys():
            self._asked[subject] = await client.subscribe(subject, cb=self._heard)
        for subject in self._asked.keys() - wanted:
            await self._asked.pop(subject).unsubscribe()

    async def _heard(self, _message: Msg) -> None:
        self._ring()

    async def _back(self) -> None:
        self.is_there, self.is_away = True, False
        self._ring()  # for what was missed

    async def _lost(self) -> None:
        if self.is_there:
            self._miss()

    async def _trouble(self, error: Exception) -> None:
        log.debug("The bus: %r", error)
        if not (self.is_there or self.is_away):
            self._miss()

    def _miss(self) -> None:
        log.warning("The bus is away; other processes are heard once a second")
        self.is_there, self.is_away = False, True
