"""Bounds and order of one connection, over an outlet that behaves as badly as wanted."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from microblog.live.connection import (
    MOST_UNSENT,
    RESTART,
    ROOM,
    TOO_SLOW,
    WRITE_DEADLINE,
    Connection,
    Listener,
)  # fmt: skip
from microblog.live.frames import MOST_TOGETHER, Burst, Message, packed, text_frame
from microblog.live.hub import SILENCE, Hub, Telling


class Pipe:
    """Keeps what is written; `stuck` bytes never leave."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.writes = 0
        self.stuck = 0
        self.aborted = False

    def write(self, message: Message) -> int:
        self.writes += 1
        self.texts.extend(message.texts)
        return len(message.frame)

    def unsent(self) -> int:
        return self.stuck

    async def drained(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


def message(number: int, size: int = 0) -> Message:
    return Message(n=number, filling="x" * size)


def deliver(connection: Connection, *ids: int, size: int = 0) -> None:
    connection.deliver(Burst([(number, message(number, size)) for number in ids]), 0.0)


def numbers(pipe: Pipe) -> list[int]:
    return [json.loads(text)["n"] for text in pipe.texts]


@pytest.fixture
def closes() -> list[int]:
    return []


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def connection(pipe: Pipe, closes: list[int]) -> Connection:
    async def send(said: dict[str, Any]) -> None:
        closes.append(said["code"])

    return Connection(Listener(("home:1", "own:1"), "en", 1, 10, "10.0.0.0/24"), pipe, send)


def test_what_happens_while_catching_up_follows_it_once_and_in_order(
    connection: Connection, pipe: Pipe
) -> None:
    deliver(connection, 4)
    deliver(connection, 5)
    connection.write(message(3))  # the gap, read from the log, goes as far as 4
    connection.write(message(4))
    connection.caught_up(4)
    deliver(connection, 4)  # the subscriber was slower than the gap was read
    deliver(connection, 6)
    assert numbers(pipe) == [3, 4, 5, 6]


def test_nothing_follows_the_first_message_left_out(connection: Connection, pipe: Pipe) -> None:
    connection.caught_up(0)
    pipe.stuck = MOST_UNSENT + 1
    deliver(connection, 1)
    pipe.stuck = 0
    deliver(connection, 2)
    assert numbers(pipe) == []
    assert connection.ending == TOO_SLOW


def test_no_more_than_its_room_waits_for_a_reader_who_takes_nothing(
    connection: Connection, pipe: Pipe
) -> None:
    connection.caught_up(0)
    hub = Hub()
    with hub.connected(connection):
        for number in range(1, 400):
            before = sum(map(len, pipe.texts))
            hub.deliver([told(number, "home:1", size=MOST_TOGETHER // 8 - 100)] * 8)
            pipe.stuck += sum(map(len, pipe.texts)) - before
    assert connection.ending == TOO_SLOW
    assert ROOM - 2 * MOST_TOGETHER < pipe.stuck <= ROOM


def test_what_is_held_while_catching_up_is_bounded(connection: Connection) -> None:
    for number in range(1, 20):
        deliver(connection, number, size=MOST_UNSENT // 10)
    assert connection.ending == TOO_SLOW


def test_a_reader_of_whom_nothing_leaves_is_stalled_and_a_slow_one_is_not(
    connection: Connection, pipe: Pipe
) -> None:
    connection.caught_up(0)
    connection.write(message(1, 1000))
    pipe.stuck = 900
    assert not connection.stalled(100.0)
    assert not connection.stalled(100.0 + WRITE_DEADLINE)
    pipe.stuck = 899  # one byte left
    assert not connection.stalled(100.1 + WRITE_DEADLINE)
    assert connection.stalled(100.2 + 2 * WRITE_DEADLINE)


async def test_the_hub_closes_what_is_to_end_and_forgets_it(
    connection: Connection, closes: list[int]
) -> None:
    hub = Hub()
    with hub.connected(connection):
        assert hub.listening("home:1")
        assert hub.open_sockets(1, "10.0.0.0/24") == (1, 1)
        hub.end_sessions({10}.__contains__, 4001)
        await hub.sweep(message(0))
        assert closes == [4001]
        assert not hub.listening("home:1")
        assert hub.open_sockets(1, "10.0.0.0/24") == (0, 0)


async def test_a_draining_hub_tells_everybody_that_it_restarts(
    connection: Connection, closes: list[int]
) -> None:
    hub = Hub()
    with hub.connected(connection):
        await hub.drain()
    assert closes == [RESTART]
    assert hub.draining


async def test_a_quiet_connection_hears_a_tick(connection: Connection, pipe: Pipe) -> None:
    hub = Hub()
    with hub.connected(connection):
        connection.caught_up(0)
        await hub.sweep(message(1))
        connection.spoke_at -= SILENCE + 1
        await hub.sweep(message(2))
    assert numbers(pipe) == [2]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_have_the_length_fields_of_rfc_6455(size: int) -> None:
    frame = text_frame("x" * size)
    head = 2 if size < 126 else 4 if size < 65_536 else 10
    assert frame[0] == 0x81
    assert len(frame) == head + size
    assert frame[head:] == b"x" * size
    if head > 2:
        assert int.from_bytes(frame[2:head], "big") == size


def test_nothing_is_written_once_it_is_to_end_though_there_is_room_again(
    connection: Connection, pipe: Pipe
) -> None:
    pipe.stuck = MOST_UNSENT + 1
    connection.write(message(1))
    pipe.stuck = 0
    connection.write(message(2))  # would move the page's position past what it never got
    assert (numbers(pipe), connection.ending) == ([], TOO_SLOW)


def test_what_some_of_a_burst_has_been_caught_up_with_is_not_told_again(
    connection: Connection, pipe: Pipe
) -> None:
    connection.caught_up(5)
    deliver(connection, 4, 5, 6, 7)
    assert numbers(pipe) == [6, 7]


def told(number: int, *topics: str, size: int = 0) -> Telling:
    return Telling(topics, number, {"en": message(number, size)})


def test_several_events_for_the_same_people_leave_together_and_in_order(
    connection: Connection, pipe: Pipe
) -> None:
    hub = Hub()
    with hub.connected(connection):
        connection.caught_up(0)
        hub.deliver([told(1, "home:1"), told(2, "home:1"), told(3, "own:1"), told(4, "home:1")])
    assert numbers(pipe) == [1, 2, 3, 4]
    assert pipe.writes == 3


def test_what_leaves_together_is_bounded(connection: Connection, pipe: Pipe) -> None:
    hub = Hub()
    with hub.connected(connection):
        connection.caught_up(0)
        hub.deliver([told(n, "home:1", size=MOST_TOGETHER // 2) for n in range(1, 6)])
    assert numbers(pipe) == [1, 2, 3, 4, 5]
    assert pipe.writes == 5


def test_who_reads_another_language_hears_nothing_in_this_one(
    connection: Connection, pipe: Pipe
) -> None:
    hub = Hub()
    with hub.connected(connection):
        connection.caught_up(0)
        hub.deliver([Telling(("home:1",), 1, {"es": message(1)}), told(2, "home:1")])
        assert hub.languages(["home:1", "home:2"]) == {"en"}
    assert numbers(pipe) == [2]


@pytest.mark.parametrize("sizes", [[], [10], [10, 10], [30, 40, 50, 10], [70, 10], [10, 70, 70]])
def test_what_is_packed_is_whole_in_order_and_in_few_pieces(sizes: list[int]) -> None:
    """Sizes in KiB; what alone is too much goes alone."""
    told = [message(number, size=size * 1024) for number, size in enumerate(sizes)]
    packs = list(packed(told))
    assert b"".join(pack.frame for pack in packs) == b"".join(one.frame for one in told)
    assert [t for pack in packs for t in pack.texts] == [t for one in told for t in one.texts]
    assert all(len(p.frame) <= MOST_TOGETHER or len(p.texts) == 1 for p in packs)
    for one, next_one in pairwise(packs):
        assert len(one.frame) + len(next_one.frame) > MOST_TOGETHER
