"""SMTP servers to send to: a real one (aiosmtpd), and one that does what a script says."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import ClassVar

from aiosmtpd.smtp import SMTP, AuthResult

from microblog.settings import Smtp


@dataclass
class Received:
    recipients: list[str]
    content: bytes

    @property
    def letter(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)


class RealServer:
    """aiosmtpd in this loop.  `port` is set when it is open."""

    def __init__(self, **options) -> None:
        self.options = options
        self.tls = options.pop("implicit_tls", None)
        self.received: list[Received] = []
        self.connections = 0
        self.port = 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.received.append(Received(envelope.rcpt_tos, envelope.content))
        return "250 taken"

    @property
    def letters(self) -> list[EmailMessage]:
        return [each.letter for each in self.received]

    def settings(self, security: str = "plain", user=None, password=None) -> Smtp:
        return Smtp("localhost", self.port, security, user, password)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[RealServer]:
        loop = asyncio.get_running_loop()
        protocols = []

        def protocol() -> SMTP:
            self.connections += 1
            protocols.append(SMTP(self, hostname="mx.test", loop=loop, **self.options))
            return protocols[-1]

        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for each in protocols:
                if each.transport is not None:
                    each.transport.close()
                if each._handler_coroutine is not None:
                    each._handler_coroutine.cancel()
            await asyncio.sleep(0)


def checks_password(user: bytes, password: bytes):
    def authenticate(server, session, envelope, mechanism, data):
        given = getattr(data, "login", None), getattr(data, "password", None)
        return AuthResult(success=given == (user, password), handled=False)

    return authenticate


HANG, DROP, TAKE_AND_DROP, TAKE_AND_HANG = "hang", "drop", "take and drop", "take and hang"


@dataclass
class ScriptedServer:
    """Answers each verb as told: a reply, one of the constants above, or a list used up in turn.

    "dot" is the answer to the final dot.  `heard` are the verbs, `taken` the contents it kept.
    """

    script: dict[str, str | list[str]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    NORMAL: ClassVar = {
        "banner": "220 mx.test", "EHLO": "250 mx.test", "HELO": "250 mx.test", "MAIL": "250 ok",
        "RCPT": "250 ok", "DATA": "354 go on", "dot": "250 taken", "RSET": "250 ok",
        "QUIT": "221 bye", "STARTTLS": "502 no", "AUTH": "502 no",
    }  # fmt: skip

    def settings(self, security: str = "plain", user=None, password=None) -> Smtp:
        return Smtp("127.0.0.1", self.port, security, user, password)

    @property
    def message_ids(self) -> list[str]:
        return [message_from_bytes(each)["Message-ID"] for each in self.taken]

    @contextlib.asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[ScriptedServer]:
        talks: set[asyncio.Task] = set()

        async def talk(reader, writer):
            talks.add(asyncio.current_task())
            self.connections += 1
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await self._talk(reader, writer)
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for each in talks:
                each.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader, writer) -> None:
        if not await self._answer("banner", writer):
            return
        while line := await reader.readline():
            verb = line.split()[0].decode().upper() if line.split() else ""
            self.heard.append(verb)
            if not await self._answer(verb, writer):
                return
            if verb == "DATA" and self.last.startswith("354"):
                content = await reader.readuntil(b"\r\n.\r\n")
                if not await self._answer("dot", writer, content[:-3]):
                    return
            if verb == "QUIT":
                return

    async def _answer(self, step: str, writer, content: bytes = b"") -> bool:
        told = self.script.get(step, self.NORMAL.get(step, "500 what"))
        if isinstance(told, list):
            told = told.pop(0) if told else self.NORMAL[step]
        self.last = told
        if step == "dot" and (told.startswith("250") or told in (TAKE_AND_DROP, TAKE_AND_HANG)):
            self.taken.append(content)
        if told in (DROP, TAKE_AND_DROP):
            return False
        if told in (HANG, TAKE_AND_HANG):
            await asyncio.sleep(3600)
        writer.write(told.encode() + b"\r\n")
        await writer.drain()
        return not told.startswith("421")


def server_tls(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
