"""Headers on every response, refusals included (SECURITY 27, 28)."""

from __future__ import annotations

from quart import Quart, Response, request
from quart_auth import current_user

from microblog.site import site
from microblog.web.rendering import scripts_version

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types microblog",
    )
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Pages whose address is a secret: it goes to nobody, not even to this site's own log of referrers.
_SECRET_PATHS = (
    "/confirm/", "/password/reset/", "/u/", "/admin/claim/", "/appeals/", "/email/confirm/",
    "/email/undo/", "/not-me/", "/leave/undo/",
)  # fmt: skip
_YEAR = 31_536_000


def install(app: Quart) -> None:
    @app.after_request
    async def add(response: Response) -> Response:
        headers = response.headers
        for name, value in _ALWAYS.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        if site().settings.https:
            headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
        if request.path.startswith(_SECRET_PATHS):
            headers["Referrer-Policy"] = "no-referrer"
        _keep_from_caches(response)
        return response


def _keep_from_caches(response: Response) -> None:
    if request.path.startswith("/static/"):
        versioned = "v" in request.args or request.path.startswith(f"/static/{scripts_version()}/")
        fresh = versioned and response.status_code == 200
        kept = f"public, max-age={_YEAR}, immutable" if fresh else "no-cache"
        response.headers["Cache-Control"] = kept
        return
    if request.path.startswith("/media/") and response.status_code == 200:
        return  # says so itself, the same to everybody
    response.headers.add("Vary", "Cookie, Accept, Accept-Language")
    private = current_user.auth_id is not None or request.path.startswith(_SECRET_PATHS)
    response.headers.setdefault("Cache-Control", "no-store" if private else "private, no-cache")
