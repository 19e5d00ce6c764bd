"""Who is watching, by topic.  In memory, per process."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from microblog.kernel.metrics import LIVE_MESSAGES
from microblog.live.connection import RESTART, TOO_SLOW, Connection
from microblog.live.frames import Message

SILENCE = 25.0  # seconds after which a connection is told that it is alive


class Hub:
    def __init__(self) -> None:
        self._topics: defaultdict[str, set[Connection]] = defaultdict(set)
        self._by_account: Counter[int] = Counter()
        self._by_address: Counter[str] = Counter()
        self._all: set[Connection] = set()
        self.attention = asyncio.Event()  # some connection is to end
        self.draining = False

    def __len__(self) -> int:
        return len(self._all)

    def accounts(self) -> int:
        """How many people have a socket open."""
        return len(self._by_account)

    def unsent(self) -> int:
        """Bytes that wait for readers, of all sockets."""
        return sum(connection.outlet.unsent() for connection in self._all)

    @contextmanager
    def connected(self, connection: Connection) -> Iterator[None]:
        self._add(connection)
        try:
            yield
        finally:
            self._remove(connection)

    def listening(self, topic: str) -> bool:
        return topic in self._topics

    def topics_with(self, prefix: str) -> set[str]:
        return {topic for topic in self._topics if topic.startswith(prefix)}

    def accounts_on(self, prefix: str) -> set[int]:
        """Accounts with an open page on topics like ``home:<account id>``."""
        return {int(topic[len(prefix) :]) for topic in self.topics_with(prefix)}

    def languages(self, topics: Iterable[str]) -> set[str]:
        return {c.listener.language for topic in topics for c in self._topics.get(topic, ())}

    def deliver(self, topics: Iterable[str], event_id: int, messages: dict[str, Message]) -> None:
        """Hand the message of each connection's language to everyone listening to `topics`."""
        for topic in topics:
            connections = tuple(self._topics.get(topic, ()))
            LIVE_MESSAGES.inc(len(connections))
            for connection in connections:
                if message := messages.get(connection.listener.language):
                    connection.deliver(event_id, message)
                    if connection.ending is not None:
                        self.attention.set()

    def open_sockets(self, account_id: int | None, address: str) -> tuple[int, int]:
        """How many sockets the account and the address have now."""
        return self._by_account[account_id or 0], self._by_address[address]

    def login_sessions(self) -> set[int]:
        return {c.listener.login_session_id for c in self._all if c.listener.login_session_id}

    def end_sessions(self, ended: Callable[[int], bool], code: int) -> None:
        for connection in self._all:
            session_id = connection.listener.login_session_id
            if session_id is not None and ended(session_id):
                connection.end(code)
                self.attention.set()

    async def sweep(self, tick: Message) -> None:
        """Close what is to end, what does not read, and say `tick` where it was quiet."""
        self.attention.clear()
        moment = time.monotonic()
        for connection in self._all:
            if connection.stalled(moment):
                connection.end(TOO_SLOW)
            elif moment - connection.spoke_at > SILENCE and connection.is_live:
                connection.write(tick)
        await self._close([c for c in self._all if c.ending is not None])

    async def drain(self) -> None:
        """Take no more, and tell everybody that the server restarts."""
        self.draining = True
        for connection in self._all:
            connection.end(RESTART)
        await self._close(list(self._all))

    async def _close(self, connections: list[Connection]) -> None:
        for connection in connections:
            self._remove(connection)
        await asyncio.gather(*(connection.close() for connection in connections))

    def _add(self, connection: Connection) -> None:
        listener = connection.listener
        self._all.add(connection)
        self._by_address[listener.address] += 1
        if listener.account_id is not None:
            self._by_account[listener.account_id] += 1
        for topic in listener.topics:
            self._topics[topic].add(connection)

    def _remove(self, connection: Connection) -> None:
        if connection not in self._all:
            return
        listener = connection.listener
        self._all.discard(connection)
        _less(self._by_address, listener.address)
        if listener.account_id is not None:
            _less(self._by_account, listener.account_id)
        for topic in listener.topics:
            self._topics[topic].discard(connection)
            if not self._topics[topic]:
                del self._topics[topic]


def _less(counter: Counter[int] | Counter[str], key: int | str) -> None:
    counter[key] -= 1  # type: ignore[index]
    if counter[key] <= 0:  # type: ignore[index]
        del counter[key]
