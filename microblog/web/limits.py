"""Rate limits, in memory of the process, as moving windows (SECURITY 39).

Windows move by the monotonic clock: by the time of day, a clock that was an hour ahead and is set
right would lock people out for that hour (SECURITY R19), which is why the storages of `limits` are
not used, only its way to write a rule.

A route declares its limit: ``@limited("30/5 minutes", by=account)``; a test insists that every
route that changes something has one or says why not.  Failures of sign-in are counted by hand
with `hit`.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from limits import RateLimitItem, parse
from quart import Quart, current_app, request

from microblog.kernel.errors import N_, TooMany
from microblog.site import site, viewer
from microblog.web.client import place
from microblog.web.languages import format_wait

View = TypeVar("View", bound=Callable[..., Any])

OFTEN = N_("That was too often. Try again in %(wait)s.")
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


def account() -> str:
    asking = viewer()
    return f"account {asking.id}" if asking else address()


def address() -> str:
    return f"address {place()}"


def limited(rule: str, by: Callable[[], str] = account) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.limit = (rule, by)  # type: ignore[attr-defined]
        return view

    return mark


def unlimited(reason: str) -> Callable[[View], View]:
    """Declares that a route needs no limit of its own, and why."""

    def mark(view: View) -> View:
        view.unlimited = reason  # type: ignore[attr-defined]
        return view

    return mark


def install(app: Quart) -> None:
    app.extensions["rate_windows"] = Windows()

    @app.before_request
    async def enforce() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        rule, by = getattr(view, "limit", (None, None))
        if rule and by and request.method not in ("GET", "HEAD"):
            await hit(rule, f"{request.endpoint} {by()}")


async def hit(rule: str, key: str) -> None:
    """Count one act; raise `TooMany` when it was one too many."""
    if site().settings.limits != "off" and not _windows().hit(_parsed(rule), key):
        raise _too_many(rule, key)


async def check(rule: str, key: str) -> None:
    """Raise `TooMany` when no act is left, without counting."""
    if site().settings.limits != "off" and _windows().wait(_parsed(rule), key) > 0:
        raise _too_many(rule, key)


def _too_many(rule: str, key: str) -> TooMany:
    wait = max(1, math.ceil(_windows().wait(_parsed(rule), key)))
    return TooMany(OFTEN, retry_after=wait, wait=format_wait(wait))


def _windows() -> Windows:
    windows: Windows = current_app.extensions["rate_windows"]
    return windows


@cache
def _parsed(rule: str) -> RateLimitItem:
    return parse(rule)
