"""A program that serves:  program.py APP CONFIG_FILE [BIND].  It tells of itself on stdout."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from quart import Quart, websocket

from microblog import server, supervisor

sockets: set[Any] = set()
drains = asyncio.Event()


def say(what: str) -> None:
    print(what, flush=True)


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """Plain ASGI, with paths for each way to be in the way of a stop."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await _websocket(scope, receive, send)
    else:
        await _http(scope, send)


async def _lifespan(receive: Any, send: Any) -> None:
    for step in ("startup", "shutdown"):
        await receive()
        say(step)
        await send({"type": f"lifespan.{step}.complete"})


async def _websocket(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/hesitant":
        say("hesitating")
        await drains.wait()
    await send({"type": "websocket.accept"})
    if scope["path"] != "/deaf":
        sockets.add(send)
    say(f"open {scope['path']}")
    if scope["path"] == "/deaf":
        await asyncio.Event().wait()
    while (await receive())["type"] != "websocket.disconnect":
        pass
    sockets.discard(send)
    say("closed")


async def _http(scope: Any, send: Any) -> None:
    say(f"asked {scope['path']}")
    try:
        if scope["path"] == "/slow":
            await asyncio.sleep(0.4)
        elif scope["path"] == "/stuck":
            await asyncio.Event().wait()
        elif scope["path"] == "/stubborn":
            await _never_cancelled()
    finally:
        say(f"left {scope['path']}")
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"done"})


async def _never_cancelled() -> None:
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            say("not now")


quart = Quart(__name__)


@quart.before_serving
async def begin() -> None:
    say("startup")


@quart.after_serving
async def end() -> None:
    say("shutdown")


@quart.get("/slow")
async def slow() -> str:
    say("asked /slow")
    await asyncio.sleep(0.4)
    return "done"


@quart.get("/stuck")
async def stuck() -> str:
    say("asked /stuck")
    try:
        await asyncio.Event().wait()
    finally:
        say("left /stuck")
    return "never"


@quart.websocket("/live")
async def live() -> None:
    await websocket.accept()
    sockets.add(websocket._get_current_object().close)  # type: ignore[attr-defined]
    say("open /live")
    try:
        while True:
            await websocket.receive()
    finally:
        say("closed")


@quart.websocket("/deaf")
async def deaf() -> None:
    await websocket.accept()
    say("open /deaf")
    await asyncio.Event().wait()


async def broken(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def fragile(scope: Any, receive: Any, send: Any) -> None:
    """As `raw`, until somebody breaks it."""
    if scope["type"] == "lifespan" and Path(sys.argv[2]).with_name("broken").exists():
        os._exit(9)
    await raw(scope, receive, send)


async def close_sockets() -> None:
    say("drain")
    drains.set()
    for send in tuple(sockets):
        await send({"type": "websocket.close", "code": 1012})
    await asyncio.sleep(0.1)
    say("drained")


async def close_quart_sockets() -> None:
    say("drain")
    for close in tuple(sockets):
        await close(1012, "")


async def fail_to_close() -> None:
    raise LookupError("a mistake in draining")


APPS: dict[str, tuple[Any, Any]] = {
    "raw": (raw, close_sockets),
    "quart": (quart, close_quart_sockets),
    "careless": (raw, fail_to_close),
    "broken": (broken, close_sockets),
    "fragile": (fragile, close_sockets),
}


def main(name: str, config: str, bind: str | None = None) -> None:
    logging.basicConfig(format="%(levelname)s %(message)s")
    app, on_drain = APPS[name]
    try:
        place = server.listen(Path(config), bind)
        if place.workers == 1:
            serving = server.serve(app, place, on_ready=say_urls, on_drain=on_drain)
            asyncio.run(serving)
        else:
            supervisor.TRIES = 3
            supervisor.supervise(place, partial(work, place, app, on_drain), on_ready=say_urls)
    except server.ServeError as error:
        sys.exit(str(error))


def say_urls(urls: list[str]) -> None:
    say(" ".join(urls))


def work(
    place: server.Place, app: Any, on_drain: Any, number: int, tell: Callable[[], None]
) -> None:
    def ready(_: list[str]) -> None:
        say(f"worker {number} is {os.getpid()}")
        tell()

    asyncio.run(server.serve(app, place, on_ready=ready, on_drain=on_drain, supervised=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
