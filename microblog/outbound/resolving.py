"""Names to addresses, in threads of their own.

The loop's own threads serve files and pictures, too: a few names whose servers do not answer would
take them all.  These are daemons, so that no lookup holds up the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from microblog.outbound.failures import Away

MOST_AT_ONCE = 16
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]

_room = threading.BoundedSemaphore(MOST_AT_ONCE)


async def looked_up(host: str, port: int) -> list[str]:
    """All addresses of `host`, in digits and in the order to try them.  Raises `Away`."""
    if not _room.acquire(blocking=False):
        raise Away("too many names are being looked up", asked=False)
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def tell(addresses: list[str] | None) -> None:
        if not found.done() and addresses is None:
            found.set_exception(Away("no such host", asked=False))
        elif not found.done():
            found.set_result(addresses or [])

    def look() -> None:
        addresses = _addresses(host, port)
        _room.release()
        with contextlib.suppress(RuntimeError):  # nobody waits any more, and the loop is closed
            loop.call_soon_threadsafe(tell, addresses)

    threading.Thread(target=look, name="names", daemon=True).start()
    return await found


def _addresses(host: str, port: int) -> list[str] | None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    return list(dict.fromkeys(str(place[0]) for *_, place in found))
