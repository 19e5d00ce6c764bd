"""Moving windows: how often something was done lately, for limits (SECURITY 39).

They move by the monotonic clock: by the time of day, a clock that was an hour ahead and is set
right would lock people out for that hour (SECURITY R19), which is why the storages of `limits` are
not used, only its way to write a rule.
"""

from __future__ import annotations

import time
from collections import deque

from limits import RateLimitItem

from microblog.kernel.shared import Shared

SWEEP = 300.0  # seconds between two looks for windows that nobody is in any more


class Windows:
    """When each key was hit, as long as that counts."""

    def __init__(self) -> None:
        self._hits: dict[tuple[RateLimitItem, str], deque[float]] = {}
        self._swept = time.monotonic()

    def hit(self, rule: RateLimitItem, key: str) -> bool:
        """Count one more; False, and not counted, if there were enough."""
        if self.wait(rule, key) > 0:
            return False
        self._sweep()
        self._hits.setdefault((rule, key), deque()).append(time.monotonic())
        return True

    def wait(self, rule: RateLimitItem, key: str) -> float:
        """Seconds until one more may come."""
        hits = self._hits.get((rule, key))
        if hits is None:
            return 0.0
        moment = time.monotonic()
        while hits and hits[0] <= moment - rule.get_expiry():
            hits.popleft()
        return 0.0 if len(hits) < rule.amount else hits[0] + rule.get_expiry() - moment

    def _sweep(self) -> None:
        moment = time.monotonic()
        if moment - self._swept < SWEEP:
            return
        self._swept = moment
        for (rule, key), hits in list(self._hits.items()):
            if not hits or hits[-1] <= moment - rule.get_expiry():
                del self._hits[rule, key]


class SharedWindows(Windows):
    """The same windows for several processes."""

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._shared = shared

    def hit(self, rule: RateLimitItem, key: str) -> bool:
        wait = self._shared.hit(_name(rule, key), rule.amount, rule.get_expiry())
        return super().hit(rule, key) if wait is None else wait == 0

    def wait(self, rule: RateLimitItem, key: str) -> float:
        wait = self._shared.wait(_name(rule, key), rule.amount)
        return super().wait(rule, key) if wait is None else wait


def _name(rule: RateLimitItem, key: str) -> str:
    return f"{rule} {key}"
