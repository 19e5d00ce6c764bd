"""A real SMTP server that remembers what it took."""

from __future__ import annotations

import email
import warnings
from collections import defaultdict
from email.message import Message
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from aiosmtpd.controller import Controller

from tests.process import free_port


class Sink:
    """Mails by recipient.  Handler of `aiosmtpd`, in a thread of its own."""

    def __init__(self) -> None:
        self.taken: defaultdict[str, list[Message]] = defaultdict(list)
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content)
        for recipient in envelope.rcpt_tos:
            self.taken[recipient].append(message)
        return "250 taken"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def __enter__(self) -> Sink:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def message_ids(self, recipient: str) -> list[str]:
        return [str(message["Message-ID"]) for message in self.taken[recipient]]
