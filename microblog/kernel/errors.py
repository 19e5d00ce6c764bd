"""Ways in which the domain says no.  Interfaces translate them; nobody else catches them.

A message is an English sentence that also is the key in the translation catalogues; what varies in
it is given by keyword and put in after translating: ``Invalid("body", N_("Too long by %(n)d."),
n=3)``.
"""

from __future__ import annotations


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name for "translate this later"
    return message


class DomainError(Exception):
    """The request was understood and is not allowed to happen."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


class NotFound(DomainError):
    """Nothing is here, or nothing the asker may know of."""

    def __init__(self, message: str = N_("There is nothing here."), **values: object) -> None:
        super().__init__(message, **values)


class Forbidden(DomainError):
    """The asker may see it and may not do this."""


class Conflict(DomainError):
    """Somebody, or the same person a moment ago, was first."""

    def __init__(self, field: str, message: str, **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class Invalid(DomainError):
    """One or more fields were refused: ``errors`` maps a field to (sentence, values)."""

    def __init__(self, field: str, message: str, **values: object) -> None:
        super().__init__(message, **values)
        self.errors: dict[str, tuple[str, dict[str, object]]] = {field: (message, values)}

    @classmethod
    def together(cls, refusals: list[Invalid]) -> Invalid:
        """All refusals of a form as one, so that a person mends everything at once."""
        first = refusals[0]
        for other in refusals[1:]:
            first.errors |= {k: v for k, v in other.errors.items() if k not in first.errors}
        return first


class NoRoom(DomainError):
    """What was sent is right and cannot be kept: the disk is full or cannot be written."""


class TooMany(DomainError):
    """A limit was reached; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int, **values: object) -> None:
        super().__init__(message, **values)
        self.retry_after = retry_after
