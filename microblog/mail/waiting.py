"""Waiting for an event, but not for ever."""

from __future__ import annotations

import asyncio


async def rings(event: asyncio.Event, within: float) -> bool:
    """Whether `event` was set before `within` seconds had passed."""
    try:
        await asyncio.wait_for(event.wait(), within)
    except TimeoutError:
        return False
    return True
