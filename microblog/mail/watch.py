"""Leases of others that have run out by the time of day, and are watched before they are taken.

A lease ends at a time of day, and clocks are set.  Forward by an hour, and every lease looks
abandoned while its owner goes on sending; what two of them have in hand would go out twice
(SECURITY R19).  So whoever comes across such a lease looks at it by a clock of its own that nobody
sets, for as long as an owner trusts a lease without renewing it.  Whoever lives renews meanwhile,
which changes the row; whoever is dead or frozen has lost it by then in its own eyes as well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

FORGET = 4.0  # times as long as it is watched: then nobody has come across it any more


@dataclass(frozen=True, slots=True)
class _Sight:
    fence: int
    due_at: datetime
    since: float


class Watch:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._sights: dict[int, _Sight] = {}
        # Leases of our own, until when we know that they are, also of what is sent and not written
        # down yet.
        self.of_mine: dict[int, float] = {}

    def ids(self) -> list[int]:
        """Leased emails that need not be looked at yet."""
        moment = time.monotonic()
        self.of_mine = {number: until for number, until in self.of_mine.items() if moment < until}
        self._sights = {
            number: sight for number, sight in self._sights.items()
            if _age(sight) < FORGET * self._seconds
        }  # fmt: skip
        young = (number for number, sight in self._sights.items() if _age(sight) < self._seconds)
        return [*self.of_mine, *young]

    def is_abandoned(self, number: int, fence: int, due_at: datetime) -> bool:
        """Whether it has stayed as it is for long enough; it is watched from now on if it is new or
        has changed."""
        sight = self._sights.get(number)
        if sight is None or (sight.fence, sight.due_at) != (fence, due_at):
            sight = self._sights[number] = _Sight(fence, due_at, time.monotonic())
        return _age(sight) >= self._seconds


def _age(sight: _Sight) -> float:
    return time.monotonic() - sight.since
