"""The optional broker: who hears of what, and what happens without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import fields

import pytest

from microblog.kernel.bus import EVERYTHING, Bus
from microblog.kernel.db import Database
from microblog.kernel.events import Event
from microblog.posts.events import PostPublished
from microblog.running import everything
from tests.broker import Broker
from tests.posts.stage import Stage


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with Broker() as broker:
        yield broker


class Process:
    """One that is interested in some subjects, and counts how often it was rung."""

    def __init__(self, broker: Broker, *subjects: str) -> None:
        self.subjects = set(subjects)
        self.rung = 0
        self.bus = Bus(broker.url, self.ring, self.interests)

    def ring(self) -> None:
        self.rung += 1

    async def interests(self) -> Iterable[str]:
        return self.subjects

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Process]:
        task = asyncio.ensure_future(self.bus.listen())
        async with asyncio.timeout(10):
            while not self.bus.is_there or len(self.bus._asked) < len(self.subjects):
                await asyncio.sleep(0.01)
        await self.asked()
        self.rung = 0
        yield self
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def asked(self) -> None:
        """Until the broker has answered what was sent after the last of its interests."""
        for each in list(self.bus._asked.values()):
            await each._conn.flush()

    async def rings(self, times: int, within: float = 10.0) -> bool:
        deadline = time.monotonic() + within
        while self.rung < times and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        return self.rung == times


async def test_a_process_hears_only_of_whom_its_readers_follow(broker: Broker) -> None:
    writer = Process(broker)
    follower = Process(broker, "post.7.*")
    in_thread = Process(broker, "post.*.99")
    worker = Process(broker, EVERYTHING)
    async with (
        writer.listening(),
        follower.listening(),
        in_thread.listening(),
        worker.listening(),
    ):
        writer.bus.tell([PostPublished(1, 7, 1).subject])
        writer.bus.tell([PostPublished(2, 8, 2).subject])
        writer.bus.tell([PostPublished(3, 8, 99).subject])
        assert await worker.rings(3)
        assert await follower.rings(1)
        assert await in_thread.rings(1)
        assert writer.rung == 0


async def test_new_interests_are_asked_for_and_old_ones_dropped(broker: Broker) -> None:
    writer, reader = Process(broker), Process(broker, "post.7.*")
    async with writer.listening(), reader.listening():
        reader.subjects = {"post.8.*"}
        async with asyncio.timeout(10):
            while reader.bus._asked.keys() != {"microblog.post.8.*"}:
                await asyncio.sleep(0.02)
        await reader.asked()
        writer.bus.tell(["post.7.1", "post.8.1"])
        assert await reader.rings(1)
        await asyncio.sleep(0.1)
        assert reader.rung == 1


async def test_a_broker_that_goes_costs_nothing_and_one_that_returns_rings(broker: Broker) -> None:
    writer, reader = Process(broker), Process(broker, EVERYTHING)
    async with writer.listening(), reader.listening():
        await broker.stop()
        async with asyncio.timeout(10):
            while writer.bus.is_there or reader.bus.is_there:
                await asyncio.sleep(0.01)
        began = time.monotonic()
        for number in range(1000):
            writer.bus.tell([f"post.7.{number}"])
        assert time.monotonic() - began < 5  # a wait of 5 ms for each
        await broker.start()
        async with asyncio.timeout(20):
            while not (writer.bus.is_there and reader.bus.is_there):
                await asyncio.sleep(0.05)
        assert reader.rung >= 1  # for what it may have missed
        before = reader.rung
        writer.bus.tell(["post.7.1"])
        assert await reader.rings(before + 1)


async def test_a_bus_without_a_broker_says_so_once_and_waits_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = Broker()
    reader = Process(broker)
    assert not reader.bus.is_away  # nobody has asked
    listening = asyncio.ensure_future(reader.bus.listen())
    async with asyncio.timeout(10):
        while not reader.bus.is_away:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    assert not listening.done()
    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == [
        "The bus is away; other processes are heard once a second"
    ]
    await broker.start()
    async with asyncio.timeout(10):
        while not reader.bus.is_there:
            await asyncio.sleep(0.02)
    assert not reader.bus.is_away
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await broker.stop()


async def test_a_broker_that_refuses_us_is_asked_again() -> None:
    """The client gives up for good when it is told why the connection ends."""
    connections: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        writer.write(b'INFO {"server_id":"x","version":"2.10.0","max_payload":1048576}\r\n')
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bus = Bus(f"nats://127.0.0.1:{port}", lambda: None, everything)
        listening = asyncio.ensure_future(bus.listen())
        for times in (1, 2):
            async with asyncio.timeout(10):
                while not (bus.is_there and len(connections) == times):
                    await asyncio.sleep(0.02)
            connections[-1].write(b"-ERR 'maximum connections exceeded'\r\n")
            async with asyncio.timeout(10):
                while bus.is_there:
                    await asyncio.sleep(0.02)
        assert not listening.done()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_a_commit_is_told_under_what_it_recorded(db: Database, stage: Stage) -> None:
    told: list[frozenset[str]] = []
    db.tell = told.append
    ada, bob = await stage.person("ada"), await stage.person("bob")
    assert told == []  # nothing that anybody could be shown
    await stage.follows(ada, bob)
    post = await stage.says(bob)
    assert told == [{f"follow.{ada}.{bob}"}, {f"post.{bob}.{post.id}"}]


def test_every_event_has_a_subject_of_plain_words() -> None:
    for kind in Event.kinds.values():
        event = kind(**dict.fromkeys((each.name for each in fields(kind)), 1))
        words = event.subject.split(".")
        assert len(words) >= 2
        assert all(word.isalnum() for word in words), event.subject
