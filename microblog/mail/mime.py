"""Headers and parts as bytes, over the standard library's `EmailMessage` with an SMTP policy.

Two things of the standard library are not used.  Folding: a long `List-Unsubscribe` would become
encoded words, which no one-click sender understands.  Parsing of what we set: an encoded word in
somebody's name would be decoded, line breaks included, and written out again (CVE-2024-6923).
Together they also took two thirds of the time.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, quote

from microblog.kernel.clock import now
from microblog.mail.addresses import Mailbox

LONGEST_LINE = 76
WORD = 39  # bytes in an encoded word, so that "Subject: " and the word fit on one line

# Quoted-printable text never contains "=_", so no text can contain the boundary.
BOUNDARY = "=_microblog_=_part_=_"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAME = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)


class _Policy(EmailPolicy):
    """Headers are strings, each once, kept and written as they are, without control characters."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        if _CONTROL.search(value):
            raise ValueError(f"{name} contains a control character")
        return name, value

    def header_max_count(self, name: str) -> int:  # noqa: ARG002
        return 1

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002
        return value

    def fold_binary(self, name: str, value: str) -> bytes:
        written = f"{name}: {value}"
        if name == "Subject" and (len(written) > LONGEST_LINE or not _shows_as_it_is(value)):
            written = f"{name}: " + f"{self.linesep} ".join(_encoded_words(value))
        return f"{written}{self.linesep}".encode("ascii")


_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def message_bytes(headers: dict[str, str], *, sender: Mailbox, text: str, html: str) -> bytes:
    """A whole message.  Raises ValueError rather than write a header that was not asked for."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = f"{_phrase(sender.name)} <{sender.address}>"
    message["Date"] = format_datetime(now())
    for name, value in headers.items():
        message[name] = value
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = f'multipart/alternative; boundary="{BOUNDARY}"'
    message.set_payload(f"{_part('plain', text)}{_part('html', html)}--{BOUNDARY}--\r\n")
    written = message.as_bytes()
    _check(written, message.keys())
    return written


def _part(subtype: str, text: str) -> str:
    written = "\n".join(text.splitlines()).encode("utf-8", "replace")
    quoted = b2a_qp(written, istext=True).decode("ascii")
    lines = (
        f"--{BOUNDARY}",
        f'Content-Type: text/{subtype}; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        quoted.replace("\n", "\r\n"),
        "",
    )
    return "\r\n".join(lines)


def _phrase(name: str) -> str:
    return f'"{quote(name)}"' if _shows_as_it_is(name) else " ".join(_encoded_words(name))


def _shows_as_it_is(value: str) -> bool:
    """What looks like an encoded word would be decoded by the reader, so it is encoded itself."""
    return value.isascii() and "=?" not in value


def _encoded_words(value: str) -> Iterator[str]:
    """RFC 2047: no word longer than 75, no character torn apart."""
    word = b""
    for character in value:
        written = character.encode("utf-8", "replace")
        if len(word) + len(written) > WORD:
            yield _encoded_word(word)
            word = b""
        word += written
    yield _encoded_word(word)


def _encoded_word(word: bytes) -> str:
    return f"=?utf-8?b?{b64encode(word).decode('ascii')}?="


def _check(written: bytes, names: list[str]) -> None:
    head = written.partition(b"\r\n\r\n")[0]
    found = [name.decode("ascii") for name in _NAME.findall(head)]
    if found != names:
        raise ValueError(f"headers {found} were written instead of {names}")
