"""The client: one request, or a page behind up to three redirects, each of them checked.

    answer = await site().outbound.get("https://example.org/", accept="text/html")
    answer = await site().outbound.send("POST", url, headers={"Authorization": …}, content=body)

Both raise `OutboundFailure` and nothing else, within ten seconds, whatever is over there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import zlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from microblog.kernel import later
from microblog.kernel.later import Later
from microblog.outbound.failures import Astray, Away, OutboundFailure, TooLarge, Unsafe
from microblog.outbound.guard import Guard
from microblog.outbound.resolving import Resolve, looked_up

if TYPE_CHECKING:
    import httpx2

    from microblog.outbound import transport
else:
    httpx2, transport = Later("httpx2"), Later("microblog.outbound.transport")

PATIENCE = 10.0  # seconds for everything: names, redirects, the last byte
MOST_BYTES = 1024 * 1024
MOST_REDIRECTS = 3
USER_AGENT = "Microblog"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """`url` is where it came from, after redirects; names of `headers` are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """Without parameters; "" if it was not said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Outbound:
    """`reachable` has places such as "127.0.0.1:8025" that may be asked though they are not public;
    nothing but a test or the demo gives any."""

    def __init__(
        self,
        *,
        reachable: Collection[str] = (),
        resolve: Resolve = looked_up,
        trust: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._guard = Guard(frozenset(reachable), resolve=resolve)
        self._trust = trust
        self._patience = patience

    async def get(self, url: str, *, accept: str = "*/*", most: int = MOST_BYTES) -> Answer:
        """What is at `url` or where it leads to, whatever its status.  Nothing is told to them but
        what we would like to have."""
        async with self._in_time():
            for _ in range(1 + MOST_REDIRECTS):
                answer = await self._once("GET", url, {"Accept": accept}, b"", most)
                where = answer.headers.get("location")
                if answer.status not in _REDIRECTS or not where:
                    return answer
                url = _joined(answer.url, where)
        raise Astray("one redirect too many")

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        most: int = MOST_BYTES,
    ) -> Answer:
        """One request with what it needs to be believed.  No redirect is followed: what is in the
        headers is for nobody else."""
        async with self._in_time():
            return await self._once(method, url, headers or {}, content, most)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        await later.load("microblog.outbound.transport")
        try:
            async with asyncio.timeout(self._patience):
                with _understood():
                    yield
        except TimeoutError:
            raise Away("time-out") from None

    async def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, most: int
    ) -> Answer:
        """A connection of its own: an answer to one can never be taken for that to another."""
        more = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Connection": "close"}
        request = httpx2.Request(method, url, headers={**more, **headers}, content=content)
        if len(str(request.url)) > 2000:
            raise Unsafe("the address is too long")
        guarded = transport.GuardedTransport(self._guard, self._trust)
        async with contextlib.aclosing(guarded):
            response = await guarded.handle_async_request(request)
            async with contextlib.aclosing(response):
                taken = await _taken(response, most)
        told = {name.lower(): value for name, value in response.headers.items()}
        return Answer(str(request.url), response.status_code, told, taken)


async def _taken(response: httpx2.Response, most: int) -> bytes:
    """The body, unpacked, without ever holding much more than `most` bytes of it."""
    said = response.headers.get("content-encoding", "identity").strip().lower()
    if said not in ("identity", "gzip", ""):
        raise TooLarge("packed in another way than was asked for")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if said == "gzip" else None
    taken, arrived = bytearray(), 0
    async for part in response.stream:  # type: ignore[union-attr]
        arrived += len(part)
        room = most + 1 - len(taken)
        taken += part if unpack is None else unpack.decompress(part, room)
        if max(arrived, len(taken)) > most:
            raise TooLarge("more than is taken")
    return bytes(taken)


def _joined(base: str, where: str) -> str:
    try:
        return urljoin(base, where)
    except ValueError as error:
        raise Unsafe("not an address") from error


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except httpx2.ConnectError as error:
        raise Away("no connection", asked=False) from error
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise Unsafe("not an address") from error
    except (httpx2.HTTPError, OSError, zlib.error) as error:
        raise Away(type(error).__name__) from error
    except OutboundFailure:
        raise
    except (ValueError, TypeError) as error:  # of an address or a header that cannot be written
        raise Unsafe(type(error).__name__) from error
