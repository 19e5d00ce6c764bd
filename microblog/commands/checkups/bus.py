"""The broker, where one is set: away it costs no post, only time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from microblog.commands.checkups.findings import Finding, fine, look
from microblog.kernel import later
from microblog.kernel.later import Later
from microblog.settings import Settings

if TYPE_CHECKING:
    from nats import errors
    from nats.aio import client as nats
else:
    errors, nats = Later("nats.errors"), Later("nats.aio.client")

PATIENCE = 5.0  # seconds


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    if not settings.bus_url:
        return
    parts = urlsplit(settings.bus_url)
    where = f"{parts.hostname}:{parts.port or 4222}"
    if trouble := await _trouble(settings.bus_url):
        yield look(
            "broker", f"{where}: {trouble}; what other processes do is seen within a second",
            "Does it run? Compare MICROBLOG_BUS_URL with its address, user and password.",
        )  # fmt: skip
    else:
        yield fine("broker", f"{where} answers")


async def _trouble(url: str) -> str:
    """Why it cannot be talked to."""
    await later.load("nats.aio.client")
    client, said = nats.Client(), list[Exception]()

    async def hear(error: Exception) -> None:
        said.append(error)

    try:
        async with asyncio.timeout(PATIENCE):  # it would go on trying for ever
            await client.connect(url, reconnect_time_wait=3, error_cb=hear)
    except (errors.Error, OSError, TimeoutError) as error:
        return str(said[0] if said else error) or "no answer in time"
    finally:
        await client.close()
    return ""
