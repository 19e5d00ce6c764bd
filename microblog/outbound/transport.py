"""HTTP over connections that the guard has checked, in the form that httpx2's clients take.

httpcore2 asks its network backend for a connection to a host; ours looks the name up, has every
address checked, and connects to one of those very addresses.  There is no second look-up that could
answer otherwise, and TLS still holds the certificate against the host's name.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore2
import httpx2

from microblog.outbound.guard import Guard

MOST_ADDRESSES = 3  # of one host that are tried
EACH = 3.0  # seconds


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Follows no redirect, keeps no cookie, knows of no proxy in the environment."""

    def __init__(self, guard: Guard, trust: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust or usual_trust(), network_backend=_Backend(guard), max_connections=4
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises `Unsafe`, `Away` before it is sent, and httpx2's `TransportError`."""
        self._guard.check(request.url)
        url = request.url
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _in_their_words():
            answer = await self._pool.handle_async_request(asked)
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer.stream),
            extensions=answer.extensions,
        )  # fmt: skip

    async def aclose(self) -> None:
        await self._pool.aclose()


@cache
def usual_trust() -> ssl.SSLContext:
    """Reading the authorities takes 20 ms."""
    return httpx2.create_ssl_context()


class _Backend(httpcore2.AsyncNetworkBackend):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._guard.addresses(host, port)
        failure: Exception = httpcore2.ConnectError("no address")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._plain.connect_tcp(
                    address, port, min(EACH, timeout or EACH), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._plain.sleep(seconds)


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - httpcore's type is wider
        self._stream: AsyncIterable[bytes] = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_their_words():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        if (close := getattr(self._stream, "aclose", None)) is not None:
            await close()


@contextmanager
def _in_their_words() -> Iterator[None]:
    """What httpcore2 raises as httpx2 has it."""
    try:
        yield
    except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
        raise httpx2.ConnectError(type(error).__name__) from error
    except httpcore2.TimeoutException as error:
        raise httpx2.ReadTimeout(type(error).__name__) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise httpx2.TransportError(type(error).__name__) from error
