"""SECURITY §3, row by row: what each answer means."""

from __future__ import annotations

import ssl
from socket import gaierror

import pytest
from aiosmtplib import errors as smtp

from microblog.mail.answers import Outcome, verdict

DEFER, UNKNOWN = Outcome.DEFER, Outcome.UNKNOWN
DEAD_RECIPIENT, DEAD_MESSAGE = Outcome.DEAD_RECIPIENT, Outcome.DEAD_MESSAGE
STOP_QUEUE = Outcome.STOP_QUEUE


def rcpt(code, words="no"):
    return smtp.SMTPRecipientRefused(code, words, "a@b.example")


def mail(code, words="no"):
    return smtp.SMTPSenderRefused(code, words, "hello@social.example")


ROWS = [
    # No server to talk to: later.
    (gaierror(-2, "Name or service not known"), "connect", DEFER),
    (smtp.SMTPConnectError("refused"), "connect", DEFER),
    (smtp.SMTPConnectTimeoutError("late"), "connect", DEFER),
    (ssl.SSLCertVerificationError("self-signed certificate"), "connect", DEFER),
    (smtp.SMTPException("SMTP STARTTLS extension not supported by server."), "connect", DEFER),
    (smtp.SMTPResponseException(454, "TLS not available"), "connect", DEFER),
    (smtp.SMTPResponseException(502, "no such command"), "connect", DEFER),
    (smtp.SMTPException("No suitable authentication method found."), "connect", DEFER),
    (smtp.SMTPHeloError(550, "who"), "connect", DEFER),
    (smtp.SMTPConnectResponseError(421, "busy"), "connect", DEFER),
    (UnicodeError("label too long"), "connect", DEFER),
    (smtp.SMTPServerDisconnected("lost"), "connect", DEFER),
    # Refused for now.
    *[(rcpt(code), "envelope", DEFER) for code in (421, 450, 451, 452, 471)],
    *[(mail(code), "envelope", DEFER) for code in (421, 450, 451, 452, 471)],
    *[(smtp.SMTPDataError(code, "no"), "content", DEFER) for code in (421, 450, 451, 452)],
    (mail(451, "4.7.1 greylisted"), "envelope", DEFER),
    (rcpt(452, "4.7.28 too fast"), "envelope", DEFER),
    (rcpt(552, "5.2.2 mailbox full"), "envelope", DEFER),
    (mail(503, "bad sequence"), "envelope", DEFER),
    # The address is no good.
    *[(rcpt(code), "envelope", DEAD_RECIPIENT) for code in (550, 551, 553)],
    (rcpt(550, "5.1.1 no such user"), "envelope", DEAD_RECIPIENT),
    (rcpt(501, "5.1.3 bad syntax"), "envelope", DEAD_RECIPIENT),
    # It is about us or about this message, so no address is blamed.
    (rcpt(554, "relay access denied"), "envelope", DEAD_MESSAGE),
    (rcpt(550, "5.7.1 relaying denied"), "envelope", DEAD_MESSAGE),
    (mail(550), "envelope", DEAD_MESSAGE),
    (mail(554, "5.7.1 blocked"), "envelope", DEAD_MESSAGE),
    (smtp.SMTPDataError(554, "5.7.1 spam"), "content", DEAD_MESSAGE),
    (smtp.SMTPDataError(552, "too big"), "content", DEAD_MESSAGE),
    (smtp.SMTPConnectResponseError(554, "no service here"), "connect", DEAD_MESSAGE),
    (ValueError("not permitted in an SMTP mailbox"), "envelope", DEAD_MESSAGE),
    # The sign-in: everything waits, nothing dies.
    (smtp.SMTPAuthenticationError(535, "5.7.8 wrong"), "connect", STOP_QUEUE),
    (smtp.SMTPAuthenticationError(534, "stronger"), "connect", STOP_QUEUE),
    (smtp.SMTPAuthenticationError(500, "what"), "connect", STOP_QUEUE),
    (smtp.SMTPAuthenticationError(454, "try later"), "connect", DEFER),
    (mail(530, "5.7.0 sign in first"), "envelope", STOP_QUEUE),
    # The connection went while ours was to be answered.
    (smtp.SMTPServerDisconnected("lost"), "envelope", DEFER),
    (ConnectionResetError("reset"), "envelope", DEFER),
    (smtp.SMTPReadTimeoutError("late"), "envelope", DEFER),
    (smtp.SMTPServerDisconnected("lost"), "content", UNKNOWN),
    (smtp.SMTPReadTimeoutError("late"), "content", UNKNOWN),
    (smtp.SMTPResponseException(-1, "Malformed SMTP response line"), "content", UNKNOWN),
    (smtp.SMTPDataError(250, "ok, although nothing was said"), "content", UNKNOWN),
]


@pytest.mark.parametrize(("error", "phase", "outcome"), ROWS, ids=lambda it: repr(it)[:70])
def test_each_answer_has_its_outcome(error, phase, outcome):
    assert verdict(error, phase).outcome is outcome


@pytest.mark.parametrize(
    ("error", "phase", "ends"),
    [
        (rcpt(421), "envelope", True),
        (smtp.SMTPDataError(421, "bye"), "content", True),
        (mail(503), "envelope", True),
        (rcpt(450), "envelope", False),
        (rcpt(550), "envelope", False),
        (smtp.SMTPDataError(554, "spam"), "content", False),
        (smtp.SMTPReadTimeoutError("late"), "envelope", True),
    ],
)
def test_only_some_answers_end_the_session(error, phase, ends):
    assert verdict(error, phase).ends_session is ends


def test_only_a_missing_server_lets_the_others_wait():
    assert verdict(smtp.SMTPConnectError("refused"), "connect").no_server
    assert verdict(smtp.SMTPAuthenticationError(535, "no"), "connect").no_server
    assert not verdict(rcpt(450), "envelope").no_server
    assert not verdict(smtp.SMTPServerDisconnected("lost"), "content").no_server


def test_the_server_s_words_are_kept_on_one_line_of_bounded_length():
    said = verdict(rcpt(550, "5.1.1 no\r\nsuch\x00 user " + "x" * 5000), "envelope").reason
    assert said.startswith("550 5.1.1 no such user x")
    assert len(said) == 500
