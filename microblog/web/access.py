"""Who may use a route, declared beside it.  Default deny: a route without a declaration refuses
to start.

    @pages.post("/posts")
    @member
    async def create() -> ResponseReturnValue: ...

What may be done with one object (is it mine?) is a rule of the domain and lives in its actions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from quart import Quart, ResponseReturnValue, current_app, request

from microblog.kernel.errors import NotFound
from microblog.moderation.permissions import ADMINISTRATOR, ROLES, STAFF
from microblog.site import viewer
from microblog.web.signed_out import ask_to_sign_in

_ROLES = {"member": ROLES, "moderator": STAFF, "administrator": (ADMINISTRATOR,)}

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    return _declared(view, "public")


def member(view: View) -> View:
    return _declared(view, "member")


def moderator(view: View) -> View:
    """For administrators, too."""
    return _declared(view, "moderator")


def administrator(view: View) -> View:
    return _declared(view, "administrator")


def without_token(reason: str) -> Callable[[View], View]:
    """Exempt from CSRF tokens, for a reason that a test lists (RFC 8058)."""

    def mark(view: View) -> View:
        view.without_token = reason  # type: ignore[attr-defined]
        return view

    return mark


def declared_access(endpoint: str | None) -> str | None:
    view = current_app.view_functions.get(endpoint or "")
    return getattr(view, "access", None)


def install(app: Quart) -> None:
    @app.before_request
    async def enforce() -> ResponseReturnValue | None:
        access = declared_access(request.endpoint)
        asking = viewer()
        if request.endpoint is None or access == "public":
            return None
        if asking is None:
            return await ask_to_sign_in()
        if asking.role not in _ROLES[access or "administrator"]:
            raise NotFound  # absent and forbidden look the same
        return None


def refuse_undeclared(app: Quart) -> None:
    """Called when all routes are known."""
    open_ends = [e for e, v in app.view_functions.items() if not hasattr(v, "access")]
    if open_ends:
        raise LookupError(f"routes without declared access: {', '.join(sorted(open_ends))}")


def _declared(view: View, access: str) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view
