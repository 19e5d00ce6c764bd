"""What is refused before any work: foreign hosts, foreign origins, forms that are not ours.

An unsafe request must come from this site (Sec-Fetch-Site, Origin) and carry a token bound to the
browser's login session, or to a random cookie for visitors (SECURITY 8, 12).
"""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from quart import Quart, Response, current_app, g, request
from quart_auth import current_user

from microblog.kernel import tokens
from microblog.kernel.errors import N_, Forbidden, Invalid
from microblog.settings import Settings, is_loopback
from microblog.site import site
from microblog.web import bodies, typed
from microblog.web.identity import cookie_name

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MOST_FIELDS = 100
# Asked by machines that know an address and no name; they show nothing of anybody.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

ELSEWHERE = N_("This form was sent from another site, so nothing was done.")
STALE = N_("This page was open for too long. Send it once more.")
WRONG_HOST = N_("This address is not served here.")


def origins(settings: Settings) -> frozenset[str]:
    """Every origin this site is reached at; on a loopback name the other two are equal to it."""
    return _origins(settings.base_url)


def hosts(settings: Settings) -> frozenset[str]:
    return _hosts(settings.base_url)


@cache
def _origins(base_url: str) -> frozenset[str]:
    parts = urlsplit(base_url)
    if not is_loopback(parts.hostname or ""):
        return frozenset({base_url})
    port = f":{parts.port}" if parts.port else ""
    return frozenset(f"{parts.scheme}://{host}{port}" for host in _LOOPBACK)


@cache
def _hosts(base_url: str) -> frozenset[str]:
    return frozenset(origin.partition("://")[2] for origin in _origins(base_url))


def install(app: Quart) -> None:
    app.before_request(_refuse_foreign_hosts)
    app.before_request(_refuse_foreign_forms)
    app.after_request(_remember_visitor)


def csrf_token() -> str:
    """The token for this browser's forms."""
    return tokens.sign(site().csrf_key, _browser())


async def _refuse_foreign_hosts() -> None:
    known = request.path in _PROBES or request.headers.get("Host", "") in hosts(site().settings)
    if not known:
        raise Invalid("host", WRONG_HOST)


async def _refuse_foreign_forms() -> None:
    if request.method not in UNSAFE:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if hasattr(view, "without_token"):
        return
    if not _from_here():
        raise Forbidden(ELSEWHERE)
    await bodies.admit()
    sent = await request.form
    if len(sent) > _MOST_FIELDS:
        raise Invalid("", N_("This form has too many fields."))
    typed.note(sent)
    token = sent.get("csrf_token") or request.headers.get("X-CSRF-Token", "")
    if not tokens.same(token, csrf_token()):
        raise Forbidden(STALE)


def _from_here() -> bool:
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from not in (None, "same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin == "null":  # what a page that tells no referrer sends, to its own site too
        return fetched_from == "same-origin"
    return origin is None or origin in origins(site().settings)


def _browser() -> str:
    """What the token is bound to: the login session's secret, else the visitor's cookie."""
    if current_user.auth_id is not None:
        return f"session {current_user.auth_id}"
    return f"visitor {_visitor()}"


def _visitor() -> str:
    if "visitor" not in g:
        g.visitor = request.cookies.get(_cookie(), "")
        if len(g.visitor) < 40:
            g.visitor = g.new_visitor = tokens.new_token()
    return str(g.visitor)


async def _remember_visitor(response: Response) -> Response:
    if new := g.get("new_visitor"):
        secure = site().settings.https
        response.set_cookie(_cookie(), new, httponly=True, samesite="Lax", secure=secure)
    return response


def _cookie() -> str:
    return cookie_name("visitor", https=site().settings.https)
