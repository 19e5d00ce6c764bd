"""Connections to providers that take no more than any of them has to say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2

from microblog.outbound.transport import GuardedTransport

MOST_BYTES = 1024 * 1024


class TooLarge(httpx2.TransportError):
    """More than any provider has to say."""


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - httpx2's own type is wider
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for part in self._stream:
            taken += len(part)
            if taken > MOST_BYTES:
                raise TooLarge("the answer is too large")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class BoundedTransport(GuardedTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Compressed answers are not asked for and not taken: a small one can be a large one."""
        request.headers["Accept-Encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise TooLarge("the answer is compressed")
        response.stream = _Bounded(response.stream)
        return response
