"""Which ways in this site has: passwords, unless it goes without them, and its providers.

@pages.post("/login")
@public
@needs_passwords
async def sign_in() -> ResponseReturnValue: ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from quart import Quart, current_app, request

from microblog.kernel.errors import N_, Forbidden
from microblog.site import site

View = TypeVar("View", bound=Callable[..., Any])

WITHOUT = N_("This site goes without passwords. Sign in with one of the ways it offers.")


def needs_passwords(view: View) -> View:
    """Declares that a route is of no use where nobody signs in with a password."""
    view.needs_passwords = True  # type: ignore[attr-defined]
    return view


def install(app: Quart) -> None:
    @app.before_request
    async def enforce() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if getattr(view, "needs_passwords", False) and not site().settings.has_passwords:
            raise Forbidden(WITHOUT)
