"""One line a request: method, route, status, milliseconds, and the id that its error page shows and
all its other lines carry.  The route, not the path, since paths carry tokens; never a body, a query
or a cookie (SECURITY 46)."""

from __future__ import annotations

import logging
import re
import secrets
import time

from quart import Quart, Response, g, request

from microblog.kernel import logs, metrics
from microblog.web import client

log = logging.getLogger("microblog.requests")

# Asked for by every page and every few seconds; worth a line when something is wrong.
_QUIET = frozenset({"/static/<path:filename>", "/healthz", "/readyz", "/metrics"})
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def install(app: Quart) -> None:
    app.before_request(_begin)
    app.after_request(_finish)


async def _begin() -> None:
    g.request_id = _given_id() or secrets.token_hex(6)
    g.started = time.perf_counter()
    logs.request_id.set(g.request_id)


def _given_id() -> str | None:
    """The proxy's, so that its log and ours can be laid side by side; anybody else's is ignored."""
    given = request.headers.get("X-Request-Id", "")
    return given if _ID.fullmatch(given) and client.is_proxy() else None


async def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.started
    route = request.url_rule.rule if request.url_rule else "-"
    response.headers["X-Request-Id"] = g.request_id
    metrics.answered(request.method, route, response.status_code, seconds)
    if response.status_code >= 400 or route not in _QUIET:
        facts = {
            "method": request.method, "route": route,
            "status": response.status_code, "ms": round(seconds * 1000, 1),
        }  # fmt: skip
        log.info("%(method)s %(route)s %(status)s %(ms)s ms", facts, extra={"facts": facts})
    return response
