"""The loops of a process, whether it serves pages or only works, and how it hears of others."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from microblog.kernel import doorbell, worker
from microblog.kernel.bus import EVERYTHING, Bus, Interests
from microblog.kernel.worker import Pulse
from microblog.site import Site

PROMPT = ("live feed", "sockets")  # the others let these go first
PATIENCE = 0.05

Step: TypeAlias = Callable[[], Awaitable[None]]
# By the name of a loop: kinds of commits after which it does not wait for its time.  None: all.
Wakers: TypeAlias = Mapping[str, frozenset[str] | None]


async def everything() -> tuple[str, ...]:
    """The interests of a process that follows the whole log."""
    return (EVERYTHING,)


@asynccontextmanager
async def running(
    site: Site,
    steps: dict[str, tuple[Step, float]],
    interests: Interests = everything,
    wakers: Wakers | None = None,
) -> AsyncIterator[None]:
    """Run each step in a loop of its own, and the doorbell, while the block lasts."""
    tasks = [
        loop(site, name, step, idle, site.db.follow((wakers or {}).get(name, _usual(idle))))
        for name, (step, idle) in steps.items()
    ]
    tasks.append(_bus(site, interests) if site.settings.bus_url else _doorbell(site))
    try:
        yield
    finally:
        await stopped(tasks)


def _usual(idle: float) -> frozenset[str] | None:
    """What looks every second anyway looks after every commit."""
    return None if idle <= 1.0 else frozenset()


def loop(
    site: Site, name: str, step: Step, idle: float, wakeup: asyncio.Event
) -> asyncio.Task[None]:
    patience = 0.0 if name in PROMPT else PATIENCE
    pulse = site.pulses[name] = Pulse(name, idle, patience)
    return asyncio.create_task(worker.run(pulse, step, wakeup), name=name)


async def stopped(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _doorbell(site: Site) -> asyncio.Task[None]:
    pulse = site.pulses["doorbell"] = Pulse("doorbell", 60.0)
    listen = partial(doorbell.listen, site.db, pulse)
    return asyncio.create_task(worker.run(pulse, listen, asyncio.Event()), name="doorbell")


def _bus(site: Site, interests: Interests) -> asyncio.Task[None]:
    bus = site.bus = Bus(site.settings.bus_url, site.db.ring, interests)
    site.db.tell = bus.tell
    # It waits for a broker that is away as long as it takes, which is no reason to be restarted.
    pulse = site.pulses["bus"] = Pulse("bus", math.inf)
    return asyncio.create_task(worker.run(pulse, bus.listen, asyncio.Event()), name="bus")
