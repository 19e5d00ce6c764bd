"""Mail leaves over kept connections: one after another, never two messages at once on one.

aiosmtplib speaks; here is when to open, check, reuse and close, and how long to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time

import aiosmtplib
from aiosmtplib.errors import (
    SMTPException,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from microblog.mail.answers import SENT, Phase, Verdict, verdict
from microblog.settings import Smtp

CONNECT = 30.0
COMMAND = 60.0
DATA = 600.0  # for the answer to the final dot (RFC 5321 §4.5.3.2.6)
GOODBYE = 5.0
UNTOUCHED = 5.0  # idle for longer: ask whether it is still there
IDLE = 30.0  # idle for longer: close
MOST = 100  # messages per connection

Broken = (SMTPException, OSError, ValueError)


class SmtpLine:
    """One connection at a time to the server, opened when needed."""

    def __init__(self, smtp: Smtp, sender: str, helo: str, tls: ssl.SSLContext | None) -> None:
        self._settings = smtp
        self._sender = sender
        self._helo = helo
        self._tls = tls
        self._client: aiosmtplib.SMTP | None = None
        self._sent = 0
        self._used = 0.0
        self._clean = True
        self._talking = False

    @property
    def is_ready(self) -> bool:
        """Whether a message can go without opening or asking anything first."""
        return self._is_open and self._clean and not self._idle_for(UNTOUCHED) and self._sent < MOST

    async def open(self) -> Verdict | None:
        """Make sure of a connection; None if there is one."""
        if not self.is_ready and not await self._still_good():
            await self.close()
            try:
                await self._connect()
            except Broken as error:
                self._abandon()
                return verdict(error, "connect")
        return None

    async def send(self, recipient: str, content: bytes) -> Verdict:
        """One message to one recipient over the open connection."""
        phase: Phase = "envelope"
        self._talking = True
        try:
            await self._envelope(recipient)
            phase = "content"
            await self._open_client.data(content, timeout=DATA)
        except Broken as error:
            return self._failed(verdict(error, phase))
        finally:
            self._talking = False
        self._sent += 1
        self._used = time.monotonic()
        return SENT

    async def rest(self) -> None:
        """Close what has been idle for long."""
        if self._client is not None and self._idle_for(IDLE):
            await self.close()

    async def close(self) -> None:
        """Say goodbye, or hang up in mid-sentence.  What the server has taken it has taken."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._talking:
            client.close()
            return
        with contextlib.suppress(*Broken):
            async with asyncio.timeout(GOODBYE):
                await client.quit(timeout=GOODBYE)
        client.close()

    @property
    def _is_open(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def _open_client(self) -> aiosmtplib.SMTP:
        if self._client is None:
            raise SMTPServerDisconnected("not connected")
        return self._client

    def _idle_for(self, seconds: float) -> bool:
        return time.monotonic() - self._used > seconds

    async def _still_good(self) -> bool:
        if not self._is_open or self._sent >= MOST or self._idle_for(IDLE):
            return False
        try:
            await self._open_client.rset(timeout=COMMAND)
        except Broken:
            return False
        self._clean, self._used = True, time.monotonic()
        return True

    async def _connect(self) -> None:
        smtp = self._settings
        self._client = aiosmtplib.SMTP(
            hostname=smtp.host, port=smtp.port, username=smtp.user, password=smtp.password,
            # True is a demand, not a wish: without STARTTLS it raises, and nothing leaves.
            start_tls=smtp.security == "starttls", use_tls=smtp.security == "tls",
            tls_context=self._tls, local_hostname=self._helo, timeout=COMMAND,
        )  # fmt: skip
        await self._client.connect(timeout=CONNECT)
        await _greet(self._client)
        self._sent, self._clean, self._used = 0, True, time.monotonic()

    async def _envelope(self, recipient: str) -> None:
        try:
            await self._from()
        except SMTPServerDisconnected:
            if self._sent == 0:
                raise
            # A kept connection that the server closed meanwhile: nothing has begun, so go on anew.
            self._abandon()
            await self._connect()
            await self._from()
        await self._to(recipient)

    # Not aiosmtplib's `mail` and `rcpt`: they read addresses with parseaddr (see mail.addresses).

    async def _from(self) -> None:
        code, words = await self._command(b"MAIL", f"FROM:<{self._sender}>")
        if code != 250:
            raise SMTPSenderRefused(code, words, self._sender)

    async def _to(self, recipient: str) -> None:
        code, words = await self._command(b"RCPT", f"TO:<{recipient}>")
        if code not in (250, 251):
            raise SMTPRecipientRefused(code, words, recipient)

    async def _command(self, verb: bytes, address: str) -> aiosmtplib.SMTPResponse:
        written = address.encode("ascii")
        return await self._open_client.execute_command(verb, written, timeout=COMMAND)

    def _failed(self, answer: Verdict) -> Verdict:
        self._clean = False
        self._used = time.monotonic()
        if answer.ends_session:
            self._abandon()
        return answer

    def _abandon(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Where no TLS or sign-in has done so; else the first message would be refused for it."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except SMTPHeloError:
            await client.helo()


class SmtpTransport:
    """The way out, as many lines as are sending at once.  `sender` is the bare address."""

    keeps = False

    def __init__(
        self,
        smtp: Smtp,
        sender: str,
        *,
        helo: str = "localhost",
        lines: int = 4,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if tls is None and smtp.security != "plain":
            tls = ssl.create_default_context()
        self.lines = [SmtpLine(smtp, sender, helo, tls) for _ in range(lines)]

    async def rest(self) -> None:
        for line in self.lines:
            await line.rest()

    async def close(self) -> None:
        await asyncio.gather(*(line.close() for line in self.lines))
