"""What happened to sign-ins."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class LoginSessionEnded(Event):
    """Signed out, here or from elsewhere: its open sockets close at once."""

    login_session_id: int
    account_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"
