"""Who is watching, by topic.  In memory, per process."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from microblog.kernel.metrics import LIVE_MESSAGES
from microblog.live.connection import RESTART, TOO_SLOW, Connection
from microblog.live.frames import MOST_TOGETHER, Burst, ByLanguage, Message

SILENCE = 25.0  # seconds after which a connection is told that it is alive


class Telling(NamedTuple):
    """A message about an event, in each language, for whoever listens to any of `topics`."""

    topics: tuple[str, ...]
    event_id: int
    messages: ByLanguage


class Hub:
    def __init__(self) -> None:
        # By topic, and there by language: a frame is looked up once for all who get it.  They are
        # written to in the order in which they came, so that memory is gone through in one
        # direction: a tenth less than in the order of a set.
        self._topics: dict[str, dict[str, dict[Connection, None]]] = {}
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
        return {language for topic in topics for language in self._topics.get(topic, ())}

    def deliver(self, tellings: Iterable[Telling]) -> None:
        """Hand the messages in each connection's language to everyone listening to their topics."""
        for topics, told in groupby(tellings, key=attrgetter("topics")):
            for together in _bursts(list(told)):
                self._tell(topics, together)

    def _tell(self, topics: Iterable[str], bursts: dict[str, Burst]) -> None:
        moment = time.monotonic()
        for topic in topics:
            for language, connections in self._topics.get(topic, {}).items():
                if burst := bursts.get(language):
                    LIVE_MESSAGES.inc(len(connections) * len(burst.each))
                    for connection in connections:
                        connection.deliver(burst, moment)
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
            by_language = self._topics.setdefault(topic, {})
            by_language.setdefault(listener.language, {})[connection] = None

    def _remove(self, connection: Connection) -> None:
        if connection not in self._all:
            return
        listener = connection.listener
        self._all.discard(connection)
        _less(self._by_address, listener.address)
        if listener.account_id is not None:
            _less(self._by_account, listener.account_id)
        for topic in listener.topics:
            here = self._topics[topic][listener.language]
            here.pop(connection, None)
            if not here:
                del self._topics[topic][listener.language]
            if not self._topics[topic]:
                del self._topics[topic]


def _bursts(told: list[Telling]) -> Iterator[dict[str, Burst]]:
    """What leaves together, by language."""
    start, size = 0, 0
    for number, telling in enumerate(told):
        own = max((len(message.frame) for message in telling.messages.values()), default=0)
        if start < number and size + own > MOST_TOGETHER:
            yield _by_language(told[start:number])
            start, size = number, 0
        size += own
    yield _by_language(told[start:])


def _by_language(told: list[Telling]) -> dict[str, Burst]:
    each: defaultdict[str, list[tuple[int, Message]]] = defaultdict(list)
    for telling in told:
        for language, message in telling.messages.items():
            each[language].append((telling.event_id, message))
    return {language: Burst(messages) for language, messages in each.items()}


def _less(counter: Counter[int] | Counter[str], key: int | str) -> None:
    counter[key] -= 1  # type: ignore[index]
    if counter[key] <= 0:  # type: ignore[index]
        del counter[key]
