"""The ways out for mail: to an SMTP server (`mail.smtp`), or, for development, nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from microblog.mail.answers import SENT, Verdict


class Line(Protocol):
    """One message after another.  Failures are verdicts, not exceptions."""

    @property
    def is_ready(self) -> bool: ...
    async def open(self) -> Verdict | None: ...
    async def send(self, recipient: str, content: bytes) -> Verdict: ...


class Transport(Protocol):
    @property
    def keeps(self) -> bool:
        """Whether the bytes stay in the row to be read there."""

    @property
    def lines(self) -> Sequence[Line]: ...
    async def rest(self) -> None: ...
    async def close(self) -> None: ...


class _Drawer:
    is_ready = True

    async def open(self) -> Verdict | None:
        return None

    async def send(self, recipient: str, content: bytes) -> Verdict:  # noqa: ARG002 - stays here
        return SENT


class KeepTransport:
    """Sends nothing: under `dev` without SMTP the letters stay readable at /dev/mail."""

    keeps = True

    def __init__(self) -> None:
        self.lines = [_Drawer()]

    async def rest(self) -> None:
        pass

    async def close(self) -> None:
        pass
