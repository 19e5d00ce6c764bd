"""When to try again: 1, 5, 15, 30 minutes, then 1 to 4 hours, each give or take a fifth."""

from __future__ import annotations

from datetime import timedelta
from random import SystemRandom

WAITS = (1, 5, 15, 30, 60, 120, 240)  # minutes
JITTER = 0.2

_random = SystemRandom()


def wait(tries: int) -> timedelta:
    """How long after the `tries`-th failure (1 is the first)."""
    minutes = WAITS[min(max(tries, 1), len(WAITS)) - 1]
    return timedelta(minutes=minutes * _random.uniform(1 - JITTER, 1 + JITTER))
