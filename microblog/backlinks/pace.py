"""How often the same is done: in this process's memory, which is enough for politeness."""

from __future__ import annotations

import time
from collections import deque

MOST_KEYS = 10_000


class Pace:
    """`most` in `seconds`, by the monotonic clock."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._done: dict[str, deque[float]] = {}

    def wait(self, key: str) -> float:
        """Seconds until it may be done again."""
        done = self._done.get(key)
        while done and done[0] <= time.monotonic() - self._seconds:
            done.popleft()
        if not done or len(done) < self._most:
            return 0.0
        return done[0] + self._seconds - time.monotonic()

    def note(self, key: str) -> None:
        if len(self._done) >= MOST_KEYS:
            self._done = {known: done for known, done in self._done.items() if self.wait(known)}
        self._done.setdefault(key, deque()).append(time.monotonic())
