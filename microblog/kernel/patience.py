"""How long one request may wait for the database, in all its blocks together.

When a database is away, slow or locked, each wait is short and their sum is not: for a turn, for a
place in the pool, for a connection, for the answer to each statement.  Loops beside the requests
have no such limit: what they began is better finished late than begun anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class _Budget:
    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._since: float | None = None

    @property
    def left(self) -> float:
        waiting = time.monotonic() - self._since if self._since is not None else 0.0
        return max(0.0, self._left - waiting)

    @contextmanager
    def counted(self) -> Iterator[None]:
        if self._since is not None:  # a block within a block
            yield
            return
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._left, self._since = self.left, None


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


def limit(seconds: float) -> None:
    """For the request that is being answered."""
    _budget.set(_Budget(seconds))


@contextmanager
def briefly(seconds: float) -> Iterator[None]:
    """For something that can wait, so that the request does not wait for it."""
    before = _budget.set(_Budget(seconds))
    try:
        yield
    finally:
        _budget.reset(before)


def left() -> float | None:
    """Of the request's seconds; None where no request waits."""
    budget = _budget.get()
    return None if budget is None else budget.left


def at_most(seconds: float) -> float:
    """`seconds`, or what is left if that is less."""
    rest = left()
    return seconds if rest is None else min(seconds, rest)


@contextmanager
def counted() -> Iterator[None]:
    """Seconds in this block count."""
    budget = _budget.get()
    if budget is None:
        yield
    else:
        with budget.counted():
            yield
