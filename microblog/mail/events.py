"""What delivery has to tell the rest of the house."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class MailRefused(Event):
    """The address of email `email_id` was refused for good; `mail.queries.reason` says why."""

    email_id: int
    account_id: int | None
