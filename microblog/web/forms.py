"""Forms: what was typed, and what was wrong with it.  The rules live in actions.

A route reads its form with `again`, the function that draws the page once more.  When an action
refuses, `web.errors` puts the sentences into the form and answers 4xx with everything as typed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from quart import g, request

from microblog.kernel.errors import Conflict, DomainError, Invalid
from microblog.web.languages import translated

Again: TypeAlias = Callable[["Form"], Awaitable[str]]


class Form:
    """`values` and `errors` by field; the error under "" is about the form as a whole."""

    def __init__(self, values: dict[str, str] | None = None, again: Again | None = None) -> None:
        self.values = values or {}
        self.errors: dict[str, str] = {}
        self.again = again

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def checked(self, name: str) -> bool:
        return self.values.get(name, "") not in ("", "0", "off", "false")

    def refuse(self, error: DomainError) -> None:
        match error:
            case Invalid(errors=errors):
                for name, (message, values) in errors.items():
                    self.errors[name] = translated(message, values)
            case Conflict(field=name):
                self.errors[name] = translated(error.message, error.values)
            case _:
                self.errors[""] = translated(error.message, error.values)


async def read_form(*fields: str, again: Again | None = None) -> Form:
    """The named fields as typed, "" where missing; everything else that was sent is ignored."""
    sent = await request.form
    form = Form({name: sent.get(name, "") for name in fields}, again)
    g.form = form
    return form
