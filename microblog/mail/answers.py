"""What an SMTP server's answer means for an email: SECURITY §3, as one pure function."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from microblog.kernel.text import one_line

# Where in the conversation it happened: before the first command of a message; MAIL and RCPT; from
# DATA to the answer to the final dot.
Phase: TypeAlias = Literal["connect", "envelope", "content"]

LONGEST_REASON = 500

_SIGN_IN = frozenset({530, 534, 535, 538})  # RFC 4954: sign in, sign in otherwise, wrong, encrypt
_CONFUSED = 503  # bad sequence of commands: this session's fault, not the message's
_FULL = 552  # to RCPT it means "later" (RFC 5321 §4.5.3.1.10)
_POLICY = re.compile(r"\b5\.7\.\d")


class Outcome(StrEnum):
    SENT = "sent"
    DEFER = "defer"
    UNKNOWN = "unknown"  # it may have been taken; the next try has the same Message-ID
    DEAD_RECIPIENT = "dead recipient"
    DEAD_MESSAGE = "dead message"
    STOP_QUEUE = "stop queue"


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reason: str = ""
    ends_session: bool = False  # this connection is of no more use
    no_server: bool = False  # not one message got a chance: let the others wait, too


SENT = Verdict(Outcome.SENT)


def verdict(error: Exception, phase: Phase) -> Verdict:
    """`error` is what aiosmtplib or the socket raised in `phase`."""
    if isinstance(error, SMTPResponseException) and 400 <= error.code < 600:
        if phase == "connect":
            return _refused_to_talk(error)
        return _refused_message(error)
    return _broken(error, phase)


def _refused_to_talk(error: SMTPResponseException) -> Verdict:
    signing_in = isinstance(error, SMTPAuthenticationError)
    if error.code in _SIGN_IN or (signing_in and error.code >= 500):
        return Verdict(Outcome.STOP_QUEUE, _said(error), ends_session=True, no_server=True)
    if isinstance(error, SMTPConnectResponseError) and error.code >= 500:  # the banner itself
        return Verdict(Outcome.DEAD_MESSAGE, _said(error), ends_session=True, no_server=True)
    return Verdict(Outcome.DEFER, _said(error), ends_session=True, no_server=True)


def _refused_message(error: SMTPResponseException) -> Verdict:
    if error.code in _SIGN_IN:
        return Verdict(Outcome.STOP_QUEUE, _said(error), ends_session=True, no_server=True)
    if error.code < 500 or error.code == _CONFUSED:
        return Verdict(Outcome.DEFER, _said(error), ends_session=error.code in (421, _CONFUSED))
    if isinstance(error, SMTPRecipientRefused):
        return Verdict(_refused_recipient(error), _said(error))
    return Verdict(Outcome.DEAD_MESSAGE, _said(error))


def _refused_recipient(error: SMTPRecipientRefused) -> Outcome:
    if error.code == _FULL:
        return Outcome.DEFER
    # "Relaying denied", "listed as spam source": about us, so the address is not to blame.
    if error.code == 554 or _POLICY.search(error.message):
        return Outcome.DEAD_MESSAGE
    return Outcome.DEAD_RECIPIENT


def _broken(error: Exception, phase: Phase) -> Verdict:
    """No answer, or none that makes sense: connection, name, TLS, time-out, no STARTTLS."""
    if isinstance(error, ValueError) and phase == "envelope":
        return Verdict(Outcome.DEAD_MESSAGE, _said(error))  # cannot be written on the wire
    outcome = Outcome.UNKNOWN if phase == "content" else Outcome.DEFER
    return Verdict(outcome, _said(error), ends_session=True, no_server=phase == "connect")


def _said(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        said = f"{error.code} {error.message}"
    else:
        said = error.message if isinstance(error, SMTPException) else str(error)
    return one_line(said or type(error).__name__)[:LONGEST_REASON]
