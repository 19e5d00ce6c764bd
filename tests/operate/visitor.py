"""Somebody in front of a browser, at the far side of the proxy."""

from __future__ import annotations

from typing import Any

import httpx2
from websockets.asyncio.client import connect

from tests.operate.proxies import Front
from tests.person import Person

FROM = "127.9.8.7"  # a visitor's address that is not the proxy's


class Visitor(Person):
    """Somebody who comes over TLS and HTTP/2, from an address of their own."""

    def __init__(self, front: Front, name: str, *, http2: bool = True) -> None:
        super().__init__(front.url, name)
        self._trusted = front.trusted()
        transport = httpx2.AsyncHTTPTransport(
            verify=front.trusted(), http2=http2, local_address=FROM
        )
        self.http = httpx2.AsyncClient(base_url=front.url, timeout=15, transport=transport)

    def socket(self, **options: Any) -> connect:
        return super().socket(ssl=self._trusted, **options)
