"""Pages behind mailed links that do not work any more."""

from __future__ import annotations

from quart import ResponseReturnValue

from microblog.kernel.errors import N_
from microblog.web.answers import error_json, wants_json
from microblog.web.languages import translated
from microblog.web.rendering import render

EXPIRED = N_("This link no longer works: it has been used, or its time is over.")


def expired() -> ResponseReturnValue:
    if wants_json():
        return error_json(translated(EXPIRED), 404)
    return render("signin/expired.html"), 404
