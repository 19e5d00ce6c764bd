"""Somebody leaves, and is gone from what others have open in another process (R24)."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.faults.serving import several_serving
from tests.person import PASSWORD, Person

WITHIN = 2.0


async def told(socket: ClientConnection, kind: str) -> dict[str, object]:
    while (said := json.loads(await socket.recv()))["type"] != kind:
        pass
    return dict(said)


async def closed(socket: ClientConnection) -> int:
    while True:
        try:
            await socket.recv()
        except ConnectionClosed as closing:
            return closing.rcvd.code if closing.rcvd else 1006


async def test_who_leaves_is_gone_everywhere_within_two_seconds(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        here, there = await stack.enter_async_context(several_serving(database_url, 2))
        ada = await stack.enter_async_context(Person(here.url, "ada"))
        bob = await stack.enter_async_context(Person(there.url, "bob"))
        phone = await stack.enter_async_context(Person(there.url, "ada"))
        await ada.register()
        await bob.register()
        await phone.sign_in()
        await bob.follow("ada")
        post = await ada.post("the words of @ada for @bob")
        for path in ("/", "/explore", "/@ada", f"/@ada/{post}"):
            assert "the words of" in await bob.page(path)  # warm
        async with bob.socket() as open_page, phone.socket() as on_the_phone:
            await told(open_page, "caught_up")
            await told(on_the_phone, "caught_up")
            began = time.monotonic()
            answer = await ada.submit("/settings/leave", current_password=PASSWORD)
            assert answer.status_code == 303
            async with asyncio.timeout(5 * WITHIN):
                gone = await told(open_page, "event")
                while gone["action"] != "remove":  # a mention may still be on its way
                    gone = await told(open_page, "event")
                assert gone["target"] == "timeline"
                assert str(gone["element"]).startswith("author-")
                assert await closed(on_the_phone) == 4001
            print(f"gone after {time.monotonic() - began:.2f} s of {WITHIN} s")
        for path in ("/", "/explore", "/notifications"):
            assert "the words of" not in await bob.page(path)
        for path in ("/@ada", f"/@ada/{post}", f"/@ada/{post}/history"):
            assert (await bob.http.get(path)).status_code == 404
