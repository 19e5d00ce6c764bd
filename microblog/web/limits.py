"""Rate limits, as moving windows in memory (SECURITY 39), of this process or, with `share`, of all
that serve on this machine.

A route declares its limit: ``@limited("30/5 minutes", by=account)``; a test insists that every
route that changes something has one or says why not.  Failures of sign-in are counted by hand
with `hit`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from limits import RateLimitItem, parse
from quart import Quart, current_app, request

from microblog.kernel.errors import N_, TooMany
from microblog.kernel.shared import Shared
from microblog.kernel.windows import SharedWindows, Windows
from microblog.site import site, viewer
from microblog.web.client import place
from microblog.web.languages import format_wait

View = TypeVar("View", bound=Callable[..., Any])

OFTEN = N_("That was too often. Try again in %(wait)s.")


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


def share(app: Quart, shared: Shared) -> None:
    """Count acts and open sockets together with the other workers."""
    app.extensions["rate_windows"] = SharedWindows(shared)
    app.extensions["shared"] = shared


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
