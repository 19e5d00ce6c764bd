"""Refusals and failures as people see them: a sentence, what was kept, where to go.

Only here are domain errors caught.  A form comes back as typed, with the sentences beside its
fields.
"""

from __future__ import annotations

import logging

from quart import Quart, Response, ResponseReturnValue, g, request
from werkzeug.exceptions import HTTPException

from microblog.kernel import patience
from microblog.kernel.db import FAULTS
from microblog.kernel.errors import (
    N_,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NoRoom,
    NotFound,
    TooMany,
)  # fmt: skip
from microblog.web import typed
from microblog.web.answers import error_json, request_id, wants_json
from microblog.web.forms import Form
from microblog.web.languages import translated
from microblog.web.rendering import render

log = logging.getLogger("microblog.errors")

TITLES = {
    400: N_("That request made no sense"),
    401: N_("Sign in first"),
    403: N_("That is not allowed"),
    404: N_("Nothing here"),
    405: N_("That is not possible here"),
    409: N_("Somebody was first"),
    413: N_("That is too large"),
    422: N_("Something needs another look"),
    429: N_("Too often"),
    500: N_("Something went wrong here"),
    503: N_("Back in a moment"),
    507: N_("No room left"),
}
SENTENCES = {
    400: N_("The server could not read it. Nothing was changed."),
    404: N_("This page does not exist, or it is not there any more."),
    405: N_("This address does not take that kind of request."),
    413: N_("What was sent is larger than this site takes. Nothing was changed."),
    500: N_("This is our fault, not yours. Nothing you can see was changed."),
    503: N_("The site cannot reach its database just now. Try again in a few seconds."),
}
_STATUS = (
    (Invalid, 422), (Conflict, 409), (TooMany, 429), (Forbidden, 403), (NotFound, 404),
    (NoRoom, 507),
)  # fmt: skip


# Seconds that one request waits for the database, all in all; `unavailable` answers by then.
PATIENCE = 4.0


def install(app: Quart) -> None:
    app.before_request(_begin_waiting)
    app.register_error_handler(DomainError, refused)
    app.register_error_handler(HTTPException, unusual)
    for fault in FAULTS:
        app.register_error_handler(fault, unavailable)
    app.register_error_handler(Exception, failed)


async def _begin_waiting() -> None:
    patience.limit(PATIENCE)


async def refused(error: DomainError) -> ResponseReturnValue:
    status = next(code for kind, code in _STATUS if isinstance(error, kind))
    if isinstance(error, Invalid) and "host" in error.errors:
        status = 400
    form = g.get("form") or Form()
    form.refuse(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
    return *await _answer(status, _first(form, error), form), headers


async def unusual(error: HTTPException) -> ResponseReturnValue:
    """Werkzeug's own refusals: 400, 404, 405, 413 and their kind."""
    if error.code is None or error.code < 400:
        return Response(status=error.code or 500, headers=dict(error.get_headers()))
    sentence = SENTENCES.get(error.code, SENTENCES[400])
    allowed = dict(error.get_headers()).get("Allow")  # RFC 9110 §15.5.6
    headers = {"Allow": allowed} if allowed else {}
    return *await _answer(error.code, translated(sentence)), headers


async def unavailable(error: Exception) -> ResponseReturnValue:
    log.error("database: %s", getattr(error, "orig", error))
    return *await _answer(503, translated(SENTENCES[503])), {"Retry-After": "5"}


async def failed(error: Exception) -> ResponseReturnValue:
    # The route, not the path: that may carry a token.
    route = request.url_rule.rule if request.url_rule else "-"
    log.error("failed %s", route, exc_info=error)
    return await _answer(500, translated(SENTENCES[500]))


async def _answer(
    status: int, sentence: str, form: Form | None = None
) -> tuple[str | Response, int]:
    if wants_json():
        return error_json(sentence, status, form.errors if form else None)
    if form is not None and form.again is not None and status in (401, 403, 409, 422, 429, 507):
        return await form.again(form), status
    return _page(status, sentence), status


def _page(status: int, sentence: str) -> str:
    return render(
        "errors/error.html",
        status=status,
        title=translated(TITLES.get(status, TITLES[400])),
        message=sentence,
        request_id=request_id() if status >= 500 else None,
        typed=typed.returned(status),
    )


def _first(form: Form, error: DomainError) -> str:
    return next(iter(form.errors.values()), translated(error.message, error.values))
