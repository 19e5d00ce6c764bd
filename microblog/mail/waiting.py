"""Waiting for an event, but not for ever."""

from __future__ import annotations

import asyncio


async def rings(event: asyncio.Event, within: float) -> bool:
    """Whether `event` was set before `within` seconds had passed."""
    try:
        # Not wait_for: on 3.11 it loses a cancellation that comes together with the event.
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return False
    return True
