"""A person at a keyboard: everything through HTTP and the live socket, as a browser without
script."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from tests.process import TRUST

PASSWORD = "correct horse battery"


class Person:
    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.http = httpx2.AsyncClient(base_url=url, timeout=15, verify=TRUST)
        self._csrf = ""

    async def __aenter__(self) -> Person:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def register(self) -> Person:
        answer = await self.submit(
            "/register", page="/register", username=self.name,
            email=f"{self.name}@example.org", password=PASSWORD,
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        return self

    async def sign_in(self, **fields: str) -> httpx2.Response:
        self._csrf = ""
        form = {"login": self.name, "password": PASSWORD, **fields}
        return await self.submit("/login", page="/login", **form)

    async def submit(self, path: str, page: str = "/", **fields: str) -> httpx2.Response:
        """Send a form with the token that `page` carries."""
        if not self._csrf:
            self._csrf = token_in((await self.http.get(page)).text)
        answer = await self.http.post(path, data={"csrf_token": self._csrf, **fields})
        if "set-cookie" in answer.headers:
            self._csrf = ""  # signed in or out: the token was bound to the old session
        return answer

    async def post(self, body: str, *, key: str | None = None, **fields: str) -> int:
        """Publish; the id of the post."""
        key = key or secrets.token_hex(8)
        answer = await self.submit("/posts", body=body, idempotency_key=key, **fields)
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
        return int(answer.headers["location"].rsplit("/", 1)[1])

    async def reply(self, post_id: int, body: str) -> int:
        return await self.post(body, in_reply_to=str(post_id))

    async def edit(self, post_id: int, body: str) -> None:
        answer = await self.submit(f"/posts/{post_id}/edit", body=body)
        assert answer.status_code == 303, answer.text[:2000]

    async def delete(self, post_id: int) -> None:
        answer = await self.submit(f"/posts/{post_id}/delete")
        assert answer.status_code == 303, answer.text[:2000]

    async def follow(self, other: str) -> None:
        answer = await self.submit(f"/@{other}/follow")
        assert answer.status_code == 303, answer.text[:2000]

    async def unfollow(self, other: str) -> None:
        answer = await self.submit(f"/@{other}/unfollow")
        assert answer.status_code == 303, answer.text[:2000]

    async def page(self, path: str) -> str:
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def cookies(self) -> str:
        return "; ".join(f"{c.name}={c.value}" for c in self.http.cookies.jar)

    def socket(self, *, since: str | None = None, stream: str = "home", **options: Any) -> connect:
        """An open live socket, as the page's script makes it."""
        query = f"?stream={stream}" + (f"&since={since}" if since else "")
        address = self.url.replace("http", "ws", 1) + "/live" + query
        headers = {"Cookie": self.cookies()} if self.cookies() else {}
        options = {"origin": self.url, "additional_headers": headers, "proxy": None} | options
        return connect(address, **options)


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "the page has no form"
    return found[1]


def position_in(page: str) -> str:
    found = re.search(r'data-position="([^"]+)"', page)
    assert found, "the page has no timeline"
    return found[1]


@dataclass
class Reader:
    """What the page's script does: connect, apply each event once, come back with the position."""

    person: Person
    stream: str = "home"
    position: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    wire_duplicates: int = 0
    counts: list[int] = field(default_factory=list)
    resets: int = 0
    closes: list[int] = field(default_factory=list)
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    _last: int = 0

    async def run(self) -> None:
        """Until cancelled, through whatever happens to the server."""
        while True:
            with contextlib.suppress(OSError, httpx2.HTTPError, asyncio.TimeoutError):
                await self.once()
            await asyncio.sleep(0.05)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Reader]:
        """Listen beside the block, and have hung up when it ends."""
        task = asyncio.ensure_future(self.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def once(self) -> None:
        try:
            async with self.person.socket(since=self.position, stream=self.stream) as socket:
                await self._listen(socket)
        except Exception as error:
            if not type(error).__module__.startswith("websockets"):
                raise
            self.closes.append(getattr(getattr(error, "rcvd", None), "code", 0) or 0)
        finally:
            self.caught_up.clear()

    async def _listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            self._apply(json.loads(text))

    def _apply(self, said: dict[str, Any]) -> None:
        match said["type"]:
            case "event" if said["id"] <= self._last:
                self.wire_duplicates += 1
            case "event":
                self._last = said["id"]
                self.events.append(said)
            case "count":
                self.counts.append(said["value"])
            case "reset":
                self.resets += 1
                self._last = 0
            case "caught_up":
                self.caught_up.set()
        self.position = said["position"]

    def inserted(self) -> list[int]:
        return [int(e["element"].split("-")[1]) for e in self.events
                if e["action"] == "insert" and e["target"] == "timeline"]  # fmt: skip

    async def until(self, condition: Any, within: float = 15.0) -> None:
        async with asyncio.timeout(within):
            while not condition(self):
                await asyncio.sleep(0.01)
