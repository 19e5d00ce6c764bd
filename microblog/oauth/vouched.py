"""What a journey brings home."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who has come home.  `email` only if the provider says that it is theirs."""

    issuer: str
    subject: str
    name: str = ""  # what they are called there, as a handle
    display_name: str = ""
    email: str | None = None
    proven_at: float | None = None  # when they last proved it over there, if the provider tells
    picture: str = ""  # the address of theirs, wherever that is; nothing has been checked about it
