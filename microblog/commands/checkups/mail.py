"""The mail server: it is talked to as far as signing in, and only asked to send when told so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from microblog.commands.checkups.findings import Finding, broken, fine, look
from microblog.kernel.clock import now
from microblog.mail.addresses import Mailbox, is_address, mail_domain, sender_mailbox
from microblog.mail.answers import SENT
from microblog.mail.smtp import SmtpTransport
from microblog.settings import Settings, Smtp, is_loopback

PATIENCE = 30.0

WHAT_TO_DO = "Compare MICROBLOG_SMTP_URL with what the mail provider says; is the port open?"


async def examine(settings: Settings, mail_to: str | None) -> AsyncIterator[Finding]:
    if settings.smtp is None:
        yield look("mail", "no server is set, so mails stay queued", "Set MICROBLOG_SMTP_URL.")
        return
    try:
        sender = sender_mailbox(settings.sender, settings.site_name)
    except ValueError as error:
        yield broken("mail", str(error), "Set MICROBLOG_MAIL_FROM to an address.")
        return
    if finding := _in_the_open(settings.smtp):
        yield finding
    transport = SmtpTransport(settings.smtp, sender.address, helo=settings.host, lines=1)
    try:
        async with asyncio.timeout(PATIENCE):
            yield await _opened(transport, settings.smtp)
            if mail_to is not None:
                yield await _sent(transport, settings, sender, mail_to)
    except TimeoutError:
        yield broken("mail", "the server does not answer in time", WHAT_TO_DO)
    finally:
        await transport.close()


def _in_the_open(smtp: Smtp) -> Finding | None:
    if smtp.security != "plain" or smtp.user is None or is_loopback(smtp.host):
        return None
    return look(
        "mail", "the password travels unencrypted", "Use smtp+starttls:// or smtps://, if you can."
    )


async def _opened(transport: SmtpTransport, smtp: Smtp) -> Finding:
    refused = await transport.lines[0].open()
    server = f"{smtp.host}:{smtp.port}"
    if refused is not None:
        return broken("mail", f"{server}: {refused.reason}", WHAT_TO_DO)
    known = " and accepts our sign-in" if smtp.user else ""
    return fine("mail", f"{server} answers ({smtp.security}){known}; no mail was sent")


async def _sent(
    transport: SmtpTransport, settings: Settings, sender: Mailbox, mail_to: str
) -> Finding:
    if not is_address(mail_to):
        return broken("test mail", f"{mail_to} is no address", "Write it as ada@example.org.")
    answer = await transport.lines[0].send(mail_to, _letter(settings, sender, mail_to))
    if answer != SENT:
        return broken("test mail", f"refused: {answer.reason}", "May MICROBLOG_MAIL_FROM send?")
    return fine("test mail", f"taken by the server for {mail_to}; has it arrived, and not as spam?")


def _letter(settings: Settings, sender: Mailbox, mail_to: str) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"] = f"{sender.name} <{sender.address}>", mail_to
    letter["Subject"] = f"A test from {settings.site_name}"
    letter["Date"] = format_datetime(now())
    letter["Message-ID"] = make_msgid(domain=mail_domain(settings.host))
    letter.set_content(f"microblog doctor sent this from {settings.base_url}. Mail works.\n")
    return letter.as_bytes().replace(b"\n", b"\r\n")
