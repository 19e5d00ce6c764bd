"""One line a request: id, method, route, status, milliseconds.  The route, not the path, since
paths carry tokens; never a body, a query or a cookie (SECURITY 46)."""

from __future__ import annotations

import logging
import secrets
import time

from quart import Quart, Response, g, request

log = logging.getLogger("microblog.requests")


def install(app: Quart) -> None:
    @app.before_request
    async def start() -> None:
        g.request_id = secrets.token_hex(6)
        g.started = time.perf_counter()

    @app.after_request
    async def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        route = request.url_rule.rule if request.url_rule else "-"
        if not route.startswith("/static"):
            ms = (time.perf_counter() - g.started) * 1000
            facts = {
                "id": g.request_id, "method": request.method, "route": route,
                "status": response.status_code, "ms": round(ms, 1),
            }  # fmt: skip
            log.info(
                "%(method)s %(route)s %(status)s %(ms)s ms %(id)s", facts, extra={"facts": facts}
            )
        return response
