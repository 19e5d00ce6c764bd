"""Somebody who submits forms over one kept connection, and says what was not answered.

It repeats nothing by itself: whether an unanswered request is sent again is what the faults are
about.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.faults.people import Seat

PATIENCE = 15.0  # seconds for an answer


async def a_while() -> None:
    """Before one asks again; while a server starts, thousands of vain attempts would slow it."""
    await asyncio.sleep(random.uniform(0.05, 0.25))


class Unanswered(Exception):
    """The connection ended, or time was up: nobody knows whether it was done."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def post_id(self) -> int:
        """Of the post that a 303 leads to."""
        return int(self.headers["location"].rsplit("/", 1)[1])


_clients: ContextVar[set[Client]] = ContextVar("clients")


@contextlib.contextmanager
def all_hang_up() -> Iterator[None]:
    """When the block, a trial in a task of its own, is over."""
    clients = set[Client]()
    _clients.set(clients)
    try:
        yield
    finally:
        for client in clients:
            client.close()


class Client:
    """`via` is the port of a proxy in front; the site is still asked for under its own name."""

    def __init__(
        self, port: int, seat: Seat | None = None, *, via: int | None = None,
        patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self.seat = seat
        self.port = port
        self._to = via or port
        self._patience = patience
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        if (clients := _clients.get(None)) is not None:
            clients.add(self)

    async def get(self, path: str) -> Answer:
        return await self._ask(f"GET {path} HTTP/1.1\r\n{self._head()}\r\n".encode())

    async def submit(self, path: str, **fields: str) -> Answer:
        token = {"csrf_token": self.seat.csrf} if self.seat else {}
        body = urlencode(token | fields)
        length = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}"
        return await self._ask(
            f"POST {path} HTTP/1.1\r\n{self._head()}{length}\r\n\r\n{body}".encode()
        )

    async def post(self, body: str, key: str) -> Answer:
        return await self.submit("/posts", body=body, idempotency_key=key)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    def _head(self) -> str:
        cookie = f"Cookie: {self.seat.cookie}\r\n" if self.seat else ""
        origin = f"Origin: http://127.0.0.1:{self.port}\r\n"
        return f"Host: 127.0.0.1:{self.port}\r\n{origin}{cookie}"

    async def _ask(self, request: bytes) -> Answer:
        try:
            async with asyncio.timeout(self._patience):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(
                        "127.0.0.1", self._to, limit=1 << 20
                    )
                reader, writer = self._streams
                writer.write(request)
                return await self._answer(reader)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.close()
            raise Unanswered(repr(error)) from error
        except asyncio.CancelledError:
            self.close()
            raise

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines if line)
        headers = {name.lower(): value for name, value in pairs}
        if "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = await _chunks(reader)
        else:
            body = await reader.read()
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(start.split()[1]), headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return found


async def published(client: Client, body: str, key: str, *, within: float = 30.0) -> int:
    """The id of a post, sent until it is answered: what a person does who presses again."""
    async with asyncio.timeout(within):
        while True:
            with contextlib.suppress(Unanswered):
                answer = await client.post(body, key)
                if answer.status == 303:
                    return answer.post_id
                assert answer.status >= 500, (answer.status, answer.body[:300])
            await a_while()
