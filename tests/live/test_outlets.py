"""Messages through a server's `send`: in order, counted, and never at the cost of who delivers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest

from microblog.live.frames import Message
from microblog.live.wires import QueuedOutlet


class Server:
    """Takes messages; what it does first with each can be set."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.tasks: set[asyncio.Task[Any] | None] = set()
        self.first: Callable[[], Awaitable[object]] | None = None
        self.left = 0  # sends that were ended before they were through

    async def send(self, message: dict[str, Any]) -> None:
        self.tasks.add(asyncio.current_task())
        try:
            if self.first is not None:
                await self.first()
        except asyncio.CancelledError:
            self.left += 1
            raise
        self.taken.append(message["text"])


@pytest.fixture
def server() -> Server:
    return Server()


@asynccontextmanager
async def pumping(server: Server) -> AsyncIterator[tuple[QueuedOutlet, asyncio.Task[None]]]:
    outlet = QueuedOutlet(server.send)
    pump = asyncio.create_task(outlet.pump())
    await asyncio.sleep(0)
    yield outlet, pump
    pump.cancel()
    with suppress(asyncio.CancelledError, OSError, TimeoutError):
        await pump


def messages(count: int) -> list[Message]:
    return [Message(n=number) for number in range(count)]


def texts(sent: list[Message]) -> list[str]:
    return [text for message in sent for text in message.texts]


async def test_a_server_that_takes_at_once_has_the_message_when_write_returns(
    server: Server,
) -> None:
    async with pumping(server) as (outlet, _):
        sent = messages(3)
        for message in sent:
            assert outlet.write(message) == message.length
            assert server.taken[-1] == message.texts[0]
        assert outlet.unsent() == 0


async def test_what_is_written_before_the_pump_runs_leaves_once_it_does(server: Server) -> None:
    outlet = QueuedOutlet(server.send)
    sent = messages(2)
    outlet.write(sent[0])
    assert server.taken == []
    assert outlet.unsent() == sent[0].length
    async with pumping(server) as (other, _):
        assert other.unsent() == 0
    pump = asyncio.create_task(outlet.pump())
    await outlet.drained()
    outlet.write(sent[1])
    pump.cancel()
    assert server.taken == texts(sent)


async def test_messages_keep_their_order_behind_one_that_waits(server: Server) -> None:
    gate = asyncio.Event()
    server.first = gate.wait
    async with pumping(server) as (outlet, _):
        sent = [*messages(4), Message.joined(messages(3))]
        for message in sent:
            outlet.write(message)
        await asyncio.sleep(0.01)
        assert server.taken == []
        assert outlet.unsent() == sum(message.length for message in sent)
        gate.set()
        await outlet.drained()
        assert server.taken == texts(sent)
        assert outlet.unsent() == 0
        outlet.write(last := Message(n=9))
        assert server.taken[-1] == last.texts[0]


async def test_each_kind_of_waiting_is_gone_through(server: Server) -> None:
    turns = 0

    async def several_times() -> None:
        nonlocal turns
        for _ in range(3):
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
            turns += 1

    server.first = several_times
    async with pumping(server) as (outlet, _):
        sent = messages(3)
        for message in sent:
            outlet.write(message)
            await asyncio.sleep(0.003)
        await outlet.drained()
        assert server.taken == texts(sent)
        assert turns == 9


async def test_the_server_finds_the_pump_as_its_task(server: Server) -> None:
    async with pumping(server) as (outlet, pump):
        me = asyncio.current_task()
        outlet.write(Message(n=1))
        assert server.tasks == {pump}
        assert asyncio.current_task() is me
        asyncio.get_running_loop().call_soon(outlet.write, Message(n=2))  # from no task at all
        await asyncio.sleep(0.01)
        assert len(server.taken) == 2
        assert server.tasks == {pump}


async def test_a_time_limit_of_the_server_strikes_the_pump_alone(server: Server) -> None:
    async def limited() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)

    server.first = limited
    async with pumping(server) as (outlet, pump):
        outlet.write(Message(n=1))
        await asyncio.wait([pump], timeout=5)
        with pytest.raises(TimeoutError):
            pump.result()


async def test_a_server_that_refuses_ends_the_pump_and_not_who_delivers(server: Server) -> None:
    async def refuse() -> None:
        raise ConnectionResetError

    server.first = refuse
    async with pumping(server) as (outlet, pump):
        outlet.write(Message(n=1))
        await asyncio.wait([pump], timeout=5)
        with pytest.raises(ConnectionResetError):
            pump.result()
        outlet.write(Message(n=2))  # nobody hears it any more
        assert server.taken == []


async def test_a_server_that_refuses_before_anything_can_be_awaited_is_no_other_case() -> None:
    def refuse(_message: dict[str, Any]) -> Any:
        raise ConnectionResetError

    outlet = QueuedOutlet(refuse)
    pump = asyncio.create_task(outlet.pump())
    await asyncio.sleep(0)
    me = asyncio.current_task()
    outlet.write(Message(n=1))
    assert asyncio.current_task() is me
    await asyncio.wait([pump], timeout=5)
    with pytest.raises(ConnectionResetError):
        pump.result()


async def test_a_send_that_was_cancelled_elsewhere_is_no_matter_of_who_delivers(
    server: Server,
) -> None:
    gone = asyncio.get_running_loop().create_future()
    gone.cancel()
    server.first = lambda: gone
    async with pumping(server) as (outlet, pump):
        outlet.write(Message(n=1))
        await asyncio.wait([pump], timeout=5)
        assert pump.cancelled()


async def test_several_may_wait_for_the_same(server: Server) -> None:
    ready = asyncio.get_running_loop().create_future()
    server.first = lambda: ready
    async with pumping(server) as (outlet, _), pumping(server) as (another, _):
        sent = messages(3)
        for one, message in zip((outlet, another), sent, strict=False):
            one.write(message)
        beside = asyncio.create_task(server.send({"text": sent[2].texts[0]}))
        await asyncio.sleep(0.01)
        ready.set_result(None)
        await asyncio.wait_for(beside, 5)
        await outlet.drained()
        await another.drained()
        assert sorted(server.taken) == texts(sent)


async def test_what_a_send_sets_in_its_context_it_can_set_back(server: Server) -> None:
    """As what wraps a server's send does, to measure it."""
    measured = ContextVar("measured", default=0)
    seen = []

    async def wrapped() -> None:
        token = measured.set(measured.get() + 1)
        await asyncio.sleep(0.001)
        seen.append(measured.get())
        measured.reset(token)

    server.first = wrapped
    async with pumping(server) as (outlet, _):
        sent = messages(3)
        for message in sent:
            outlet.write(message)
            await outlet.drained()
        assert server.taken == texts(sent)
        assert seen == [1, 1, 1]
        assert measured.get() == 0


async def test_a_send_may_be_cancelled_again_while_it_tidies_up(server: Server) -> None:
    tidied = asyncio.Event()

    async def untidy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            try:
                await asyncio.Event().wait()
            finally:
                tidied.set()

    server.first = untidy
    async with pumping(server) as (outlet, pump):
        outlet.write(Message(n=1))
        for _ in range(2):
            await asyncio.sleep(0)
            pump.cancel()
        await asyncio.wait([pump], timeout=5)
        assert pump.cancelled()
        assert tidied.is_set()


async def test_nobody_waits_for_an_aborted_outlet(server: Server) -> None:
    server.first = asyncio.Event().wait
    async with pumping(server) as (outlet, _):
        outlet.write(Message(n=1))
        waiting = asyncio.create_task(outlet.drained())
        await asyncio.sleep(0)
        outlet.abort()
        await asyncio.wait_for(waiting, 5)
        await asyncio.wait_for(outlet.drained(), 5)


async def test_a_cancelled_pump_ends_the_send_that_was_under_way(server: Server) -> None:
    server.first = asyncio.Event().wait
    async with pumping(server) as (outlet, pump):
        outlet.write(Message(n=1))
        await asyncio.sleep(0)  # the pump goes on with it
        pump.cancel()
        await asyncio.wait([pump], timeout=5)
        assert pump.cancelled()
        assert server.left == 1


async def test_a_message_that_comes_while_the_pump_is_being_cancelled_hurts_nobody(
    server: Server,
) -> None:
    server.first = asyncio.Event().wait
    async with pumping(server) as (outlet, pump):
        pump.cancel()
        outlet.write(Message(n=1))
        outlet.write(Message(n=2))
        await asyncio.wait([pump], timeout=5)
        assert pump.cancelled()
        outlet.write(Message(n=3))
        assert server.taken == []


async def test_a_send_that_takes_its_cancelling_for_an_end_is_over(server: Server) -> None:
    async def until_cancelled() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    server.first = until_cancelled
    async with pumping(server) as (outlet, pump):
        outlet.write(message := Message(n=1))
        await asyncio.sleep(0)
        pump.cancel()
        await outlet.drained()
        assert server.taken == texts([message])


async def test_an_aborted_outlet_takes_nothing(server: Server) -> None:
    async with pumping(server) as (outlet, _):
        outlet.abort()
        assert outlet.write(Message(n=1)) == 0
        assert server.taken == []
