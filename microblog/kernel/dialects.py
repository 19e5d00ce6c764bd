"""The choice between two forms of a statement, where none serves both databases well.

Statements stay plain SQLAlchemy and stand with the questions they answer; the reason for having two
stands beside them.
"""

from __future__ import annotations

from typing import TypeVar

from microblog.kernel.model import Session

Form = TypeVar("Form")


def per_dialect(session: Session, *, sqlite: Form, postgresql: Form) -> Form:
    """The form for the database that `session` speaks to."""
    return sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
