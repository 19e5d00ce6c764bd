"""How a request ends that brings nothing back.  Texts are for logs: no word of them is theirs."""

from __future__ import annotations


class OutboundFailure(Exception):
    """All of them."""


class Unsafe(OutboundFailure):
    """The address is not for us to ask: its scheme, its port, credentials, or where it leads."""


class Away(OutboundFailure):
    """No such host, no connection, no trust, no answer in time, or one that cannot be read.

    `asked` is False if the request was certainly not sent.
    """

    def __init__(self, reason: str, *, asked: bool = True) -> None:
        super().__init__(reason)
        self.asked = asked


class TooLarge(OutboundFailure):
    """More than is taken, as it comes or unpacked; or packed in a way that cannot be bounded."""


class Astray(OutboundFailure):
    """One redirect too many."""
