"""Loops that run beside the web server until it stops, and proof that they are alive."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from microblog.kernel.db import FAULTS
from microblog.kernel.metrics import LOOP_FAILURES

log = logging.getLogger(__name__)

SLOWEST_STEP = 60.0
LONGEST_PAUSE = 30.0
TOLD = 5  # failures in a row that are told each; then one in TOLD_OF, about a minute
TOLD_OF = 30
LOOK_AGAIN = 2.0  # seconds: a database that was away is to be noticed soon after it is back


@dataclass(slots=True)
class Pulse:
    """When a loop last finished a step.  Monotonic seconds; a clock that jumps changes nothing."""

    name: str
    idle: float
    # Seconds between a wakeup and the step: those that may be later leave the first moment after a
    # commit to the live pages, and take what several commits bring in one step.
    patience: float = 0.0
    beat: float = field(default_factory=time.monotonic)
    failures: int = 0

    @property
    def alive(self) -> bool:
        return self.failures < 3 and time.monotonic() - self.beat < self.idle + SLOWEST_STEP


async def run(pulse: Pulse, step: Callable[[], Awaitable[None]], wakeup: asyncio.Event) -> None:
    """Take a step whenever the wakeup rings, and every `pulse.idle` seconds anyway."""
    while True:
        wakeup.clear()
        try:
            await step()
            pulse.failures = 0
        except Exception as error:  # noqa: BLE001 - told and tried again
            pulse.failures += 1
            LOOP_FAILURES.labels(pulse.name).inc()
            await asyncio.sleep(_pause(pulse, error))
            pulse.beat = time.monotonic()
            continue  # nobody rings for what failed, and some loops idle for an hour
        pulse.beat = time.monotonic()
        # Not wait_for: on 3.11 it loses a cancellation that comes together with the wakeup.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pulse.idle):
                await wakeup.wait()
        await asyncio.sleep(pulse.patience)


def _pause(pulse: Pulse, error: Exception) -> float:
    """Seconds until it is tried again.  A database that is away is told in a line, not a page."""
    story = None if isinstance(error, FAULTS) else error
    said = getattr(error, "orig", error) if story is None else "see below"
    if pulse.failures <= TOLD or pulse.failures % TOLD_OF == 0:
        often = f" {pulse.failures} times in a row" if pulse.failures > 1 else ""
        log.error("%s failed%s: %s", pulse.name, often, said, exc_info=story)
    return min(2.0**pulse.failures / 10, LOOK_AGAIN if story is None else LONGEST_PAUSE)
